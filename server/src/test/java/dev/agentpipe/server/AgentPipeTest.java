package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import java.net.ConnectException;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class AgentPipeTest {

    private static AgentPipe start(String databaseUrl) {
        return AgentPipe.start(Settings.builder()
                .environment(Settings.Environment.TEST)
                .apiKeys(List.of(new ApiKey(TestServer.KEY)))
                .host("127.0.0.1")
                .metrics(false)
                .port(0)
                .databaseUrl(databaseUrl)
                .build());
    }

    private static Set<Thread> threads() {
        return Set.copyOf(Thread.getAllStackTraces().keySet());
    }

    @Test
    void close_withRequestsAndStreamsUnderWay_answersThemAndLeavesNothing() throws Exception {
        String databaseUrl = TestPostgres.newDatabase();
        start(databaseUrl).close(); // what is started once for a JVM, such as the timer of the driver
        Set<Thread> before = threads();
        AgentPipe pipe = start(databaseUrl);
        int port = pipe.uri().getPort();
        try (RawHttp request = RawHttp.open(port);
                RawHttp idle = RawHttp.open(port);
                RawStream stream = RawStream.open(port, "HTTP/1.1", "/api/stream");
                Connection database = TestPostgres.connect(databaseUrl);
                Statement statement = database.createStatement()) {
            stream.block();
            database.setAutoCommit(false);
            statement.execute("select from event_log for update"); // as another node that appends
            request.write(RawHttp.post(TestServer.messageBody("c", "under-way", "x")));
            Await.until("the append waits", () -> waitsForLock(databaseUrl));

            Thread closing = new Thread(pipe::close);
            closing.start();
            Await.until("draining", () -> isDraining(idle));
            database.rollback();

            assertEquals(201, request.read().status());
            String last = stream.block();
            for (String block = last; block != null; block = stream.block()) {
                last = block;
            }
            assertTrue(last.startsWith("retry: "), last);
            closing.join(TimeUnit.SECONDS.toMillis(12));
            assertTrue(!closing.isAlive(), "close() takes 10 s at the most");
            idle.awaitEnd();
            assertEquals(1, count(statement, "messages where message_id = 'under-way'"));
            database.commit();
        }
        assertThrows(ConnectException.class, () -> RawHttp.open(port));
        Await.until(() -> "threads end: " + left(before), () -> left(before).isEmpty());
    }

    private static boolean waitsForLock(String databaseUrl) {
        try (Connection database = TestPostgres.connect(databaseUrl);
                Statement statement = database.createStatement()) {
            return count(statement, "pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
                    == 1;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static long count(Statement statement, String from) throws Exception {
        try (var rows = statement.executeQuery("select count(*) from " + from)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static boolean isDraining(RawHttp http) {
        try {
            return http.write("GET /api/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                                    .read()
                                    .status()
                            == 200
                    && http.write("GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n")
                            .read()
                            .json()
                            .get("status")
                            .stringValue()
                            .equals("degraded");
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Threads that a server has started; not those of the machine, such as the garbage collector's. */
    private static Set<String> left(Set<Thread> before) {
        return threads().stream()
                .filter(thread -> !before.contains(thread) && thread.isAlive())
                .map(Thread::getName)
                .filter(name -> !name.startsWith("Cleaner") && !name.startsWith("Attach"))
                .collect(Collectors.toSet());
    }
}
