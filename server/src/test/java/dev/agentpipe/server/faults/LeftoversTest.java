package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** What is over leaves nothing behind: no thread, no subscription, no connection. */
final class LeftoversTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Each I/O thread may still hold the connection that it closed last, and one on its stack. */
    private static final int LATEST_MAX = 2 * Math.max(2, Runtime.getRuntime().availableProcessors());

    private static final List<String> PARTS_OF_A_STREAM = List.of(
            "dev.agentpipe.core.broadcast.Subscription",
            "dev.agentpipe.server.stream.SseConnection",
            "io.undertow.server.HttpServerExchange");

    @Test
    void streamsAndRequests_manyOpenedAndClosed_leaveNothingBehind() throws Exception {
        try (TestServer server = TestServer.start()) {
            work(server, "warm", 50, 200);
            List<Long> before = census(server);

            work(server, "measured", 500, 2_000);

            Await.until("as few as before", PATIENCE, () -> streams(server) == 0);
            List<Long> after = census(server);
            for (int i = 0; i < before.size(); i++) {
                assertTrue(after.get(i) <= before.get(i) + LATEST_MAX, "before " + before + ", after " + after);
            }
            assertTrue(after.get(0) <= LATEST_MAX, after + " subscriptions");
        }
    }

    @Test
    void close_afterStreamsThatWereCut_takesNoTime() throws Exception {
        TestServer server = TestServer.start();
        work(server, "m", 50, 10);
        long start = System.nanoTime();
        server.close();
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < 2_500, "took " + millis + " ms: something was waited for in vain");
    }

    private static void work(TestServer server, String name, int streams, int requests) throws IOException {
        String lastId = null;
        List<RawStream> open = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            RawStream stream = switch (i % 4) {
                case 0 -> server.stream("/api/realtime/stream");
                case 1 -> server.stream("/api/realtime/stream?conversationId=c&types=message.created");
                case 2 -> server.stream("/api/realtime/stream?replay=5");
                default -> server.stream("/api/realtime/stream", "Last-Event-ID", lastId);
            };
            lastId = RawStream.id(stream.block());
            open.add(stream);
            if (open.size() == 10) {
                server.message("c", name + "-stream-" + i, "x");
                for (RawStream one : open) {
                    one.event();
                    one.close();
                }
                open.clear();
            }
        }
        for (RawStream one : open) {
            one.close();
        }
        for (int i = 0; i < requests; i++) {
            switch (i % 4) {
                case 0 -> assertEquals(400, server.ingest("{\"type\":").status());
                case 1 -> assertEquals(404, server.get("/api/nothing").status());
                default -> server.message("c", name + "-" + i, "x");
            }
        }
    }

    /** How many there are of each part of a stream, and of threads; counted after a garbage collection. */
    private static List<Long> census(TestServer server) throws JMException {
        Await.until("streams are closed", PATIENCE, () -> streams(server) == 0);
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        List<Long> counts = new ArrayList<>();
        for (String part : PARTS_OF_A_STREAM) {
            counts.add(histogram
                    .lines()
                    .filter(line -> line.endsWith(" " + part))
                    .mapToLong(line -> Long.parseLong(line.strip().split("\\s+")[1]))
                    .sum());
        }
        counts.add((long) ManagementFactory.getThreadMXBean().getThreadCount());
        return counts;
    }

    private static int streams(TestServer server) {
        return server.get("/api/health")
                .json()
                .get("checks")
                .get("stream")
                .get("connections")
                .asInt();
    }
}
