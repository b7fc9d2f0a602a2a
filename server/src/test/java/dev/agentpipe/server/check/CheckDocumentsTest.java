package dev.agentpipe.server.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Settings;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The document has each item, in the order in which they are shown, with what it looks at. */
final class CheckDocumentsTest {

    private static final Pattern LINE =
            Pattern.compile("^(?:## (.+)|\\| `([a-z_0-9]+)` \\| ([^|]+) \\|.*)$", Pattern.MULTILINE);

    @Test
    void items_ofTheDocument_areThoseThatAreLookedAt() throws Exception {
        List<String> written = new ArrayList<>();
        String group = "";
        Matcher line = LINE.matcher(Files.readString(Path.of("..", "docs", "check.md")));
        while (line.find()) {
            group = line.group(1) == null ? group : line.group(1).toLowerCase(Locale.ROOT);
            if (line.group(2) != null) {
                written.add(group + ": " + line.group(2) + ": " + line.group(3).strip());
            }
        }

        List<String> looked = new ArrayList<>();
        HashSet<String> ids = new HashSet<>();
        for (Group<?> one : Checklist.groups(new Subject(
                Settings.builder().build(),
                Map.of(),
                List.of(),
                URI.create("http://x"),
                Optional.empty(),
                1,
                Instant.EPOCH))) {
            for (Item<?> item : one.items()) {
                looked.add(one.name() + ": " + item.id() + ": " + item.title());
                assertTrue(ids.add(item.id()), item.id());
                assertTrue(item.id().matches("[a-z][a-z0-9_]*") && item.id().length() <= 23, item.id());
            }
        }
        assertEquals(String.join("\n", looked), String.join("\n", written));
    }
}
