package dev.agentpipe.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.MemoryEventLog;
import dev.agentpipe.core.redact.Redactor;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import dev.agentpipe.server.stream.Streams;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.net.http.HttpRequest;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.xnio.OptionMap;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** The server's own event: it is measured, and that is all that anybody ever notices of it. */
final class CanaryTest {

    private static Exposed metrics(TestServer server) {
        URI uri = URI.create("http://127.0.0.1:" + server.metricsPort() + "/metrics");
        return Exposed.of(
                server.send(HttpRequest.newBuilder(uri).build()).response().body());
    }

    private static void awaitCanaries(TestServer server, int more) {
        double now = metrics(server).value("agentpipe_canary_seconds_count");
        Await.until("canaries", () -> metrics(server).value("agentpipe_canary_seconds_count") >= now + more);
    }

    @Test
    void canary_isStoredNowhere_andSeenByNobody_onAnyServer() throws Exception {
        try (TestServer server = TestServer.start(settings -> settings.metrics(true)
                        .metricsPort(0)
                        .canaryInterval(Duration.ofMillis(20))
                        .streamHeartbeat(Duration.ofMillis(100)));
                TestServer other = TestServer.on(
                        server.databaseUrl(), settings -> settings.streamHeartbeat(Duration.ofMillis(100)));
                RawStream live = server.stream("/api/realtime/stream");
                RawStream typed = server.stream("/api/realtime/stream?types=bridge.test");
                RawStream elsewhere = other.stream("/api/realtime/stream")) {
            String start = RawStream.id(live.event());
            assertEquals(start, RawStream.id(typed.event()));
            assertEquals(start, RawStream.id(elsewhere.event()));
            Answer list = server.get("/api/conversations");
            Answer usage = server.get("/api/metrics/summary");
            String stats = stats(server);

            awaitCanaries(server, 10);

            for (RawStream stream : List.of(live, typed, elsewhere)) {
                for (int beats = 0; beats < 3; beats++) {
                    assertEquals(":heartbeat\nid: " + start, stream.block().strip());
                }
            }
            assertEquals(
                    list.response().body(),
                    server.get("/api/conversations").response().body());
            assertEquals(
                    usage.response().body(),
                    server.get("/api/metrics/summary").response().body());
            Exposed after = metrics(server);
            assertEquals(
                    2, after.value("agentpipe_cache_requests_total", "result", "hit"), "answers are kept all the same");
            assertEquals(2, after.value("agentpipe_cache_requests_total", "result", "miss"));
            assertEquals(0, after.value("agentpipe_ingest_events_total"));
            assertEquals(0, after.value("agentpipe_stream_deliveries_total"));
            assertEquals(stats, stats(server));
            assertEquals(
                    201, server.ingest("{\"type\":\"bridge.test\",\"data\":{}}").status());
            assertEquals(1, RawStream.position(live.event()), "no position was used up");
            assertEquals(1, RawStream.position(elsewhere.event()));
            awaitCanaries(server, 2);
            assertEquals(1, count(server, "events"));
            assertEquals(1, count(server, "event_identities"));
            assertEquals(0, count(server, "conversations"));
        }
    }

    /** What may not change by itself. */
    private static String stats(TestServer server) {
        Answer answer = server.get("/api/realtime/stats");
        return answer.json().get("position") + " " + answer.json().get("head") + " "
                + answer.json().get("connections") + " " + answer.json().get("buffer");
    }

    private static long count(TestServer server, String table) throws Exception {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from " + table)) {
            row.next();
            return row.getLong(1);
        }
    }

    @Test
    void canary_thatIsLost_isCountedByItsStage_andToldOnce() throws Exception {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        MemoryEventLog log = new MemoryEventLog("test", 100);
        XnioWorker worker = Xnio.getInstance().createWorker(OptionMap.EMPTY);
        Settings.Streams settings = Settings.builder().build().streams();
        Streams streams = new Streams(log, log.state(), Broadcaster.Limits.DEFAULT, settings, worker);
        LogTail tail = new LogTail(log, 0, Duration.ofMillis(10), streams.broadcaster());
        AtomicBoolean mayRun = new AtomicBoolean(true);
        GroupCommit commit = new GroupCommit(log, tail, GroupCommit.Limits.DEFAULT).start();
        try (CapturedLog told = new CapturedLog(Canary.class.getName())) {
            Canary canary = new Canary(
                    new Meters(registry),
                    new EventReader(EventLimits.DEFAULT, Clock.systemUTC(), Redactor.OFF),
                    commit,
                    tail,
                    streams,
                    List.of(worker.getIoThread()),
                    mayRun::get,
                    Duration.ofMillis(300));

            canary.send();
            canary.send();
            assertEquals(2, failures(registry, "stream"), "nobody follows the log");
            assertEquals(1, told.events().size(), "told once");
            assertTrue(message(told, 0).contains("stage stream"), message(told, 0));

            tail.start();
            Await.until("arrives", () -> {
                canary.send();
                return registry.get("agentpipe.canary").timer().count() > 0;
            });
            assertTrue(message(told, 1).contains("arrives again"), message(told, 1));
            double lost = failures(registry, "stream");

            commit.close();
            canary.send();
            assertEquals(1, failures(registry, "append"));
            assertEquals(lost, failures(registry, "stream"));

            mayRun.set(false);
            canary.send();
            assertEquals(1, failures(registry, "append"), "none is sent while the server stops");
        } finally {
            commit.close();
            tail.close();
            streams.close();
            worker.shutdownNow();
        }
    }

    private static double failures(SimpleMeterRegistry registry, String stage) {
        return registry.get("agentpipe.canary.failures")
                .tag("stage", stage)
                .counter()
                .count();
    }

    private static String message(CapturedLog told, int index) {
        ILoggingEvent event = told.events().get(index);
        return event.getFormattedMessage();
    }
}
