package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jooq.codegen.GenerationTool;
import org.jooq.meta.jaxb.Configuration;
import org.jooq.meta.jaxb.Database;
import org.jooq.meta.jaxb.Generate;
import org.jooq.meta.jaxb.Generator;
import org.jooq.meta.jaxb.Jdbc;
import org.jooq.meta.jaxb.Logging;
import org.jooq.meta.jaxb.Target;
import org.junit.jupiter.api.Test;

/**
 * The code generated from the schema is checked in, so that compiling needs no database and a review shows the change.
 * This test proves that it is current; {@code mvn test -pl core,db -Dtest=GeneratedCodeTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dgenerate=true} makes it so.
 */
final class GeneratedCodeTest {

    private static final Path CHECKED_IN = Path.of("src", "generated", "java");
    private static final Path FRESH = Path.of("target", "generated-fresh", "java");

    @Test
    void generatedCode_isThatOfTheSchema() throws Exception {
        String url = TestPostgres.newDatabase();
        PostgresUrl parsed = PostgresUrl.parse(url);
        new Schema(parsed).migrate();
        delete(FRESH);
        generate(configuration(parsed, FRESH));

        Map<String, String> fresh = files(FRESH);
        assertFalse(fresh.isEmpty());
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
        fresh.forEach((name, code) -> assertEquals(code, checkedIn.get(name), name));
    }

    /** Part of jOOQ's generator follows the default locale whatever it was told: in Turkish, i becomes İ. */
    private static void generate(Configuration configuration) throws Exception {
        Locale hostile = Locale.getDefault();
        Locale.setDefault(Locale.ENGLISH);
        try {
            GenerationTool.generate(configuration);
        } finally {
            Locale.setDefault(hostile);
        }
    }

    private static Configuration configuration(PostgresUrl url, Path target) {
        return new Configuration()
                .withLogging(Logging.WARN)
                .withJdbc(new Jdbc()
                        .withDriver("org.postgresql.Driver")
                        .withUrl(url.jdbcUrl())
                        .withUser(url.user())
                        .withPassword(url.password()))
                .withGenerator(new Generator()
                        .withDatabase(new Database()
                                .withName("org.jooq.meta.postgres.PostgresDatabase")
                                .withInputSchema("public")
                                .withOutputSchemaToDefault(true)
                                .withExcludes("flyway_schema_history")
                                .withIncludeRoutines(false)
                                .withIncludeTriggerRoutines(false))
                        .withGenerate(new Generate()
                                .withJavaTimeTypes(true)
                                .withGeneratedAnnotation(false)
                                .withPojos(false)
                                .withDaos(false))
                        .withTarget(new Target()
                                .withPackageName("dev.agentpipe.db.generated")
                                .withLocale("en")
                                .withDirectory(target.toString())));
    }

    private static Map<String, String> files(Path root) throws IOException {
        Map<String, String> files = new TreeMap<>();
        if (Files.isDirectory(root)) {
            try (Stream<Path> all = Files.walk(root)) {
                for (Path path : all.filter(Files::isRegularFile).toList()) {
                    files.put(root.relativize(path).toString().replace('\\', '/'), Files.readString(path));
                }
            }
        }
        return files;
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
