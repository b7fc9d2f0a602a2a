package dev.agentpipe.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class SchemaTest {

    private final String url = TestPostgres.newDatabase();
    private final DatabaseSettings settings = TestPostgres.settings(url);

    @Test
    void open_again_keepsTheLog() {
        String epoch;
        try (Database database = Database.open(settings)) {
            epoch = database.eventLog().state().epoch();
            database.eventLog().append(TestEvents.messages("c", "m", 3));
        }
        try (Database database = Database.open(settings)) {
            assertEquals(epoch, database.eventLog().state().epoch());
            assertEquals(3, database.eventLog().state().head());
            assertTrue(epoch.matches("[0-9a-z]{6}"), epoch);
        }
    }

    @Test
    void open_byManyAtOnce_migratesOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> opened = IntStream.range(0, 4)
                    .<Future<?>>mapToObj(
                            i -> threads.submit(() -> Database.open(settings).close()))
                    .toList();
            for (Future<?> each : opened) {
                each.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void open_schemaOfANewerProgram_isRefused() {
        Database.open(settings).close();
        try (TestRows rows = new TestRows(url)) {
            rows.run("insert into flyway_schema_history (installed_rank, version, description, type, script, checksum,"
                    + " installed_by, execution_time, success)"
                    + " values (99, '999', 'later', 'SQL', 'V999__later.sql', 1, 'agentpipe-server 9.9', 1, true)");
        }

        DatabaseStartException refused = assertThrows(DatabaseStartException.class, () -> Database.open(settings));
        String said = refused.getMessage();
        assertTrue(said.contains("newer version of this program"), said);
        assertTrue(said.contains("migration 999 by agentpipe-server 9.9; this is agentpipe-server development"), said);
        assertTrue(said.contains("Start that version again, or restore the backup"), said);
    }

    @Test
    void open_nobodyListening_saysSoWithoutThePassword() {
        DatabaseSettings nowhere =
                DatabaseSettings.of("postgresql://u:SECRET@localhost:1/d", null, 1, 3, Duration.ofSeconds(30));

        DatabaseStartException refused = assertThrows(DatabaseStartException.class, () -> Database.open(nowhere));
        assertTrue(refused.getMessage().contains("localhost:1/d cannot be used"), refused.getMessage());
        assertFalse(refused.getMessage().contains("SECRET"), refused.getMessage());
    }

    @Test
    void open_wrongPassword_saysSo() {
        PostgresUrl right = PostgresUrl.parse(url);
        DatabaseSettings wrong = TestPostgres.settings(url.replace(right.password(), "SECRET"));

        DatabaseStartException refused = assertThrows(DatabaseStartException.class, () -> Database.open(wrong));
        assertTrue(refused.getMessage().contains("password authentication failed"), refused.getMessage());
    }

    @Test
    void open_poolerWithoutPreparedStatements_works() {
        try (Database database = Database.open(TestPostgres.settings(url + "?pgbouncer=true"))) {
            EventLog log = database.eventLog();
            for (int i = 0; i < 20; i++) {
                log.append(TestEvents.messages("c", "m" + i + "-", 2));
            }
            assertEquals(40, log.state().head());
        }
        try (TestRows rows = new TestRows(url)) {
            assertEquals("40", rows.value("select message_count from conversations"));
        }
    }

    @Test
    void deletedEvents_neverGiveTheirPositionsBack() {
        try (Database database = Database.open(settings);
                TestRows rows = new TestRows(url)) {
            database.eventLog().append(TestEvents.messages("c", "m", 10));

            rows.run("delete from events where position <= 3");
            assertEquals("0", rows.value("select head_min from event_log"));
            assertEquals(10, database.eventLog().state().head());
            rows.run("delete from events where position >= 9");
            rows.run("delete from events where position > 100");
            assertEquals(10, database.eventLog().state().head());
            rows.run("delete from events");
            assertEquals(
                    10,
                    database.eventLog().append(TestEvents.messages("c", "x", 1)).headBefore());
        }
    }
}
