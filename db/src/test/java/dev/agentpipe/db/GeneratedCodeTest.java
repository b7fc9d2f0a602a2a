package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The code generated from the schema is checked in, so that compiling needs no database and a review shows the change.
 * This test proves that it is current; with {@code -Dgenerate=true} it makes it so.
 */
final class GeneratedCodeTest {

    private static final Path CHECKED_IN = Path.of("src", "generated", "java");
    private static final Path FRESH = Path.of("target", "generated-fresh", "java");

    @Test
    void generatedCode_isThatOfTheSchema() throws Exception {
        String url = TestPostgres.newDatabase();
        new Schema(PostgresUrl.parse(url)).migrate();
        delete(FRESH);
        generate(url);

        Map<String, String> fresh = files(FRESH);
        // The generator adds it where the JDK that runs it knows the warning; an older one ignores the word.
        fresh.replaceAll((name, code) -> code.replace("\"rawtypes\" })", "\"rawtypes\", \"this-escape\" })"));
        assertTrue(fresh.containsKey("dev/agentpipe/db/generated/tables/Events.java"), fresh.keySet()::toString);
        if (Boolean.getBoolean("generate")) {
            delete(CHECKED_IN);
            for (Map.Entry<String, String> file : fresh.entrySet()) {
                Path path = CHECKED_IN.resolve(file.getKey());
                Files.createDirectories(path.getParent());
                Files.writeString(path, file.getValue());
            }
        }
        Map<String, String> checkedIn = files(CHECKED_IN);
        assertEquals(fresh.keySet(), checkedIn.keySet(), "run this test with -Dgenerate=true");
        fresh.forEach((name, code) ->
                assertTrue(code.equals(checkedIn.get(name)), name + " differs: run this test with -Dgenerate=true"));
    }

    /** In a process of its own: in this one's Turkish, jOOQ knows no INTEGER and names a class EventİdentitiesRecord. */
    private static void generate(String url) throws Exception {
        Path log = Files.createTempFile(Path.of("target"), "generate", ".log");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Duser.language=en",
                        "-cp",
                        System.getProperty("java.class.path"),
                        GenerateCode.class.getName(),
                        url,
                        FRESH.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertTrue(process.waitFor(1, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), () -> read(log));
    }

    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        if (Files.isDirectory(root)) {
            try (Stream<Path> all = Files.walk(root)) {
                all.filter(Files::isRegularFile)
                        .forEach(path ->
                                files.put(root.relativize(path).toString().replace('\\', '/'), read(path)));
            }
        }
        return files;
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static void delete(Path root) throws IOException {
        if (Files.exists(root)) {
            try (Stream<Path> all = Files.walk(root)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(path);
                }
            }
        }
    }
}
