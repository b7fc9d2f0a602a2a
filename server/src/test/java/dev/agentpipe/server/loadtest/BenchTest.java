package dev.agentpipe.server.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.loadtest.WeakServer.Weakness;
import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiny loads: what is looked at is what was counted, not how fast it was. */
final class BenchTest {

    /** Times that no server misses, however busy the machine of the tests is. */
    private static final Goal PATIENT = new Goal(4, 40, 60_000, 60_000, 0);

    private static final Goal STRICT = new Goal(4, 40, 500, 500, 0);

    private final List<String> said = Collections.synchronizedList(new ArrayList<>());

    private final Progress progress = new Progress() {
        @Override
        public void say(String line) {
            said.add(line);
        }

        @Override
        public void now(String line) {
            said.add(line);
        }
    };

    @ParameterizedTest
    @EnumSource(Follow.class)
    void run_onAServer_countsEachEventOnEachStreamOnce(Follow follow) throws Exception {
        try (TestServer server = TestServer.start()) {
            Plan plan = new Plan(PATIENT, true, 4, 40, follow, Duration.ofSeconds(1));
            Report report = load(server.uri(""), TestServer.KEY, plan).run();

            for (Result result : report.results()) {
                Measurement.Streams streams = result.seen().streams();
                assertEquals(4, streams.opened());
                assertEquals(0, streams.lost());
                assertEquals(0, streams.missing());
                assertEquals(0, streams.disordered());
                assertEquals(0, result.seen().errors(), result::line);
                assertTrue(streams.deliveries() > 0, result::line);
                assertTrue(result.seen().latency().p99() > 0, result::line);
            }
            long stored = count(server, "select count(*) from messages where conversation_id like 'bench-%'");
            assertEquals(stored, report.left().messages());
            assertEquals(
                    Plan.CONVERSATIONS,
                    count(
                            server,
                            "select count(*) from conversations where status = 'COMPLETED' and id between '"
                                    + report.left().firstConversation() + "' and '"
                                    + report.left().lastConversation() + "'"));
            if (follow == Follow.ALL) {
                long delivered = report.results().stream()
                        .mapToLong(one -> one.seen().streams().deliveries())
                        .sum();
                assertEquals(4 * stored, delivered);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SLOW, p95 is ",
        "FAILS_SOME, 500 internal_error (",
        "LIMITS_RATE, errors: 429 (",
        "REFUSES_STREAMS, 0 of 4 streams opened: overloaded (",
        "ENDS_STREAMS, 4 streams were lost: ended by the server (4)",
        "LOSES_ON_STREAM, deliveries are missing",
        "REPEATS_ON_STREAM, deliveries out of order or repeated",
    })
    void run_onAWeakServer_missesAndSaysWhy(Weakness weakness, String why) throws Exception {
        try (WeakServer server = new WeakServer(weakness)) {
            Report report = load(server.uri(), WeakServer.KEY, ramp(STRICT)).run();

            assertFalse(report.isMet());
            assertTrue(report.results().get(0).why().contains(why), report::text);
            assertTrue(report.text().contains(why), report::text);
        }
    }

    @Test
    void run_onThatServerWithoutWeakness_isInOrder() throws Exception {
        try (WeakServer server = new WeakServer(Weakness.NONE)) {
            Report report = load(server.uri(), WeakServer.KEY, ramp(PATIENT)).run();
            Measurement seen = report.results().get(0).seen();

            assertEquals(0, seen.streams().missing() + seen.streams().disordered() + seen.errors(), report::text);
            assertFalse((report.text() + report.json() + said).contains(WeakServer.KEY), "the key is not shown");
        }
    }

    /** Conversations were started; messages are not stored. */
    @Test
    void run_onAServerThatGoesAway_endsEarly() throws Exception {
        try (WeakServer server = new WeakServer(Weakness.STORES_NO_MORE)) {
            Plan plan = new Plan(PATIENT, true, 4, 40, Follow.ALL, Duration.ofSeconds(16));
            Report report = load(server.uri(), WeakServer.KEY, plan).run();

            assertEquals(Report.End.NOTHING_STORED, report.end(), report::text);
            assertEquals(2, report.results().size(), report::text);
        }
    }

    @Test
    void run_wherePostsAreRedirected_staysAtItsServer() throws Exception {
        try (WeakServer server = new WeakServer(Weakness.REDIRECTS)) {
            Bench bench = load(server.uri(), WeakServer.KEY, ramp(STRICT));
            String message = assertThrows(BenchException.class, bench::run).getMessage();

            assertTrue(message.contains("sends us elsewhere (307 to " + server.uri() + "/elsewhere)"), message);
            assertFalse(server.wasFollowed());
        }
    }

    @Test
    void run_withAWrongKey_isNoMeasurement() throws Exception {
        try (WeakServer server = new WeakServer(Weakness.NONE)) {
            Bench bench = load(server.uri(), "ap_live_wrong", ramp(STRICT));
            String message = assertThrows(BenchException.class, bench::run).getMessage();

            assertTrue(message.endsWith("does not take an event: 401 unauthorized"), message);
            assertFalse(message.contains("ap_live_wrong"), message);
        }
    }

    @Test
    void run_whereNobodyListens_isNoMeasurement() {
        Bench bench = load(URI.create("http://127.0.0.1:1"), WeakServer.KEY, ramp(STRICT));
        String message = assertThrows(BenchException.class, bench::run).getMessage();

        assertTrue(message.startsWith("no answer from http://127.0.0.1:1: ConnectException"), message);
    }

    /** An hour's plan, stopped by what it says itself: that the first step is under way. */
    @Test
    void stop_inAStep_reportsWhatThereIs() throws Exception {
        try (WeakServer server = new WeakServer(Weakness.NONE)) {
            Bench[] bench = new Bench[1];
            Progress stopper = new Progress() {
                @Override
                public void say(String line) {
                    said.add(line);
                }

                @Override
                public void now(String line) {
                    if (line.contains("delivered")) {
                        bench[0].stop();
                    }
                }
            };
            Plan plan = new Plan(PATIENT, true, 4, 40, Follow.ALL, Plan.DURATION_CAP);
            bench[0] = new Bench(server.uri(), WeakServer.KEY, plan, stopper);
            Report report = bench[0].run();

            assertEquals(Report.End.STOPPED, report.end());
            assertEquals(1, report.results().size());
            assertTrue(report.results().get(0).isCut());
            assertTrue(report.left().messages() > 0);
            assertTrue(said.get(0).endsWith("cut"), said::toString);
        }
    }

    private Bench load(URI base, String key, Plan plan) {
        String text = base.toString();
        return new Bench(
                URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text), key, plan, progress);
    }

    private static Plan ramp(Goal goal) {
        return new Plan(goal, true, 4, 40, Follow.ALL, Duration.ofSeconds(1));
    }

    private static long count(TestServer server, String sql) throws Exception {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
