package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.postgres.DatabaseSettings;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class EventRetentionTest {

    private static void run(TestServer server, String... commands) throws SQLException {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            for (String command : commands) {
                statement.execute(command);
            }
        }
    }

    private static Database database(TestServer server) {
        return Database.open(DatabaseSettings.of(server.databaseUrl(), null, 1, 4, Duration.ofSeconds(10)));
    }

    @Test
    void oldEvents_areDeletedAndToldOfOnce() throws Exception {
        try (TestServer server = TestServer.start();
                Database database = database(server);
                CapturedLog log = new CapturedLog(EventRetention.class.getName())) {
            for (int i = 1; i <= 5; i++) {
                server.message("c", "m" + i, "x");
            }
            run(server, "update events set received_at = now() - interval '3 days' where position <= 3");
            List<Long> floors = new ArrayList<>();
            EventRetention retention = new EventRetention(database.retention(), Duration.ofDays(2), floors::add);

            retention.deleteOld();
            retention.deleteOld();
            assertEquals(3, floors.get(floors.size() - 1));

            List<String> lines = log.events().stream()
                    .map(ILoggingEvent::getFormattedMessage)
                    .toList();
            assertEquals(1, lines.size(), lines::toString);
            assertTrue(
                    lines.get(0).matches("Deleted 3 events older than 2 days, up to position 3, in \\d+ ms"),
                    lines::toString);
            assertEquals(3, database.eventLog().state().floor());
        }
    }

    @Test
    void deletion_interrupted_endsAndStaysInterrupted() throws Exception {
        try (TestServer server = TestServer.start();
                Database database = database(server)) {
            server.message("c", "m", "x");
            run(server, "update events set received_at = now() - interval '3 days'");

            Thread.currentThread().interrupt();
            new EventRetention(database.retention(), Duration.ofDays(2), floor -> {}).deleteOld();

            assertTrue(Thread.interrupted());
        }
    }
}
