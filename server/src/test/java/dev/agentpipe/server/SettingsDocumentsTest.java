package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A setting that nobody can find does not exist; a documented one that is not read is a lie. */
final class SettingsDocumentsTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern SETTING = Pattern.compile("^#([A-Z][A-Z_]*)=(.*)$", Pattern.MULTILINE);

    @Test
    void envExample_names_areThoseThatAreRead() throws Exception {
        assertEquals(
                new TreeSet<>(SettingsReader.KNOWN), new TreeSet<>(example().keySet()));
    }

    @Test
    void envExample_everyLineSwitchedOn_givesTheDefaults() throws Exception {
        assertEquals(
                SettingsReader.read(Map.of()).settings(),
                SettingsReader.read(example()).settings());
    }

    @Test
    void readme_names_areThoseThatAreRead() throws Exception {
        String readme = Files.readString(ROOT.resolve("README.md"));
        List<String> missing = SettingsReader.KNOWN.stream()
                .filter(name -> !readme.contains("`" + name + "`"))
                .toList();

        assertEquals(List.of(), missing);
        assertTrue(readme.lines().count() <= 200, "the README is short");
    }

    private static Map<String, String> example() throws IOException {
        Map<String, String> settings = new HashMap<>();
        Matcher line = SETTING.matcher(Files.readString(ROOT.resolve("conf/agentpipe-server.env.example")));
        while (line.find()) {
            settings.put(line.group(1), line.group(2));
        }
        return settings;
    }
}
