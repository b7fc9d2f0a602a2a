package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.TestServer;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.junit.jupiter.api.Test;

final class DateHeaderTest {

    @Test
    void date_ofAServer_goesOnWhenAnotherOneOfTheJvmHasStopped() {
        try (TestServer server = TestServer.start()) {
            try (TestServer other = TestServer.on(server.databaseUrl(), settings -> settings)) {
                for (int i = 0; i < 50; i++) {
                    date(other); // so that it has said the newest date of all
                }
            }
            Instant stopped = Instant.now();
            Await.until("time goes on", () -> date(server).isAfter(stopped));
            assertTrue(date(server).isBefore(Instant.now().plusMillis(1)));
        }
    }

    private static Instant date(TestServer server) {
        String date = server.get("/api/health/live").header("Date");
        assertTrue(date.matches("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT"), date);
        return ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
    }
}
