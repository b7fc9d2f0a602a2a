package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.SchemaState;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.SecretsSearch;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The commands that show and do what a start would: migrate, config, version. */
final class MigrateCommandTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(Map<String, String> environment, String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return Commands.of(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void migrate_isPrintedFirstThenDoneOnce() throws Exception {
        String url = TestPostgres.newDatabase();
        Map<String, String> environment = Map.of("DATABASE_URL", url);

        assertEquals(0, run(environment, "migrate", "--dry-run"));
        String printed = out.toString();
        assertTrue(printed.startsWith("-- Pending: 001 log and projections\n"), printed);
        assertEquals(0, run(environment, "migrate", "--dry-run"));
        assertEquals(printed, out.toString(), "nothing was done");

        // What was printed is what psql would take.
        String other = TestPostgres.newDatabase();
        try (Connection connection = TestPostgres.connect(other);
                Statement statement = connection.createStatement()) {
            statement.execute(printed);
        }

        assertEquals(0, run(environment, "migrate"), err::toString);
        assertTrue(out.toString().startsWith("Applied 001 log and projections\n"), out::toString);
        assertTrue(out.toString().endsWith("The schema is at " + SchemaState.newest() + ".\n"), out::toString);
        for (String[] again : List.of(new String[] {"migrate"}, new String[] {"migrate", "--dry-run"})) {
            assertEquals(0, run(environment, again));
            assertTrue(out.toString().contains("nothing is to be done"), out::toString);
        }
    }

    @Test
    void migrate_whatItCannot_is1WithWords(@TempDir Path folder) throws Exception {
        String url = TestPostgres.newDatabase();
        assertEquals(0, run(Map.of("DATABASE_URL", url), "migrate"));
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("insert into flyway_schema_history select 99, '900', 'later', type, 'V900__later.sql', 1,"
                    + " installed_by, now(), 1, true from flyway_schema_history where installed_rank = 1");
        }
        assertEquals(1, run(Map.of("DATABASE_URL", url), "migrate"));
        assertTrue(err.toString().contains("900"), err::toString);
        assertEquals(1, run(Map.of("DATABASE_URL", url), "migrate", "--dry-run"));
        assertTrue(err.toString().contains("newer version"), err::toString);

        assertEquals(1, run(Map.of("DATABASE_URL", "postgresql://a:hush@127.0.0.1:1/x"), "migrate"));
        assertFalse(err.toString().isBlank() || err.toString().contains("hush"), err::toString);
        assertEquals(1, run(Map.of("DATA_DIR", folder.toString()), "migrate"));
        assertTrue(err.toString().contains("no server's data"), err::toString);
        assertEquals(2, run(Map.of("DATABASE_URL", "mysql://x"), "migrate"));
    }

    @Test
    void config_showsWhatIsInEffect(@TempDir Path folder) throws Exception {
        SecretsSearch.hide("hush-hush-hush-hush");
        Path file = Files.writeString(
                folder.resolve("env"), "PORT=3001\nAGENTPIPE_ADMIN_API_KEY=hush-hush-hush-hush\nSSE_MAX_AGE=\n");
        assertEquals(0, run(Map.of("PORT", "3002"), "config", "--json", "--env-file", file.toString()));
        SecretsSearch.printed(out.toString());
        JsonNode json = JsonMapper.shared().readTree(out.toString());
        assertEquals(
                "{\"value\":\"3001\",\"source\":\"file\"}", json.get("PORT").toString());
        assertEquals("default", json.get("SSE_MAX_AGE").get("source").asString());
        assertTrue(json.get("AGENTPIPE_ADMIN_API_KEY").get("value").asString().matches("…[0-9a-f]{8}"));

        assertEquals(0, run(Map.of("PORT", "3002"), "config"));
        assertTrue(out.toString().contains("environment  PORT                       3002\n"), out::toString);
        assertEquals(2, run(Map.of("PORT", "http"), "config"));
        assertTrue(err.toString().contains("\n  PORT is \"http\""), err::toString);
    }

    @Test
    void version_tellsWhatAReportOfAFaultNeeds() {
        assertEquals(0, run(Map.of(), "version", "--json"));
        JsonNode json = JsonMapper.shared().readTree(out.toString());
        assertEquals(SchemaState.newest(), json.get("schema").asString());
        assertEquals(Runtime.version().toString(), json.get("java").asString());
        assertEquals("unknown", json.get("commit").asString(), "it runs from compiled classes");
        assertEquals(0, run(Map.of(), "version"));
        assertTrue(out.toString().contains("\nschema  " + SchemaState.newest() + "\n"), out::toString);
    }
}
