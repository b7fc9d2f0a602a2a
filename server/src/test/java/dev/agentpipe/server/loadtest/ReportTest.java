package dev.agentpipe.server.loadtest;

import static dev.agentpipe.server.loadtest.Measurements.BUSY;
import static dev.agentpipe.server.loadtest.Measurements.IDLE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.loadtest.Report.End;
import dev.agentpipe.server.loadtest.Verdict.Outcome;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ReportTest {

    private static final List<Outcome> ALL_OK = List.of(Outcome.OK, Outcome.OK, Outcome.OK, Outcome.OK, Outcome.OK);

    private final List<Result> results = new ArrayList<>();

    @Test
    void targets_allReached_areMet() {
        carried(1_000, 100);
        carried(1_000, 400);
        missed(1_000, 800, 300, IDLE);
        Report report = report(End.ALL_TRIED, 1_000, 1_000);

        assertTrue(report.isMet());
        assertEquals(ALL_OK, outcomes(report));
        assertText(
                report,
                "Carried: 1,000 streams (each follows one conversation) and 400.0 events/s at the same time",
                "Not carried: 1,000 streams, 800.0 events/s, since p95 is 300 ms",
                "Targets; times and errors at 1,000 streams, 100.0 events/s:",
                "bench-x-c0 to bench-x-c99, with 123 messages");
    }

    @Test
    void streams_missed_areNotMetThoughTimesAre() {
        carried(400, 100);
        missed(800, 100, 300, IDLE);
        carried(400, 1_000);
        Report report = report(End.ALL_TRIED, 1_000, 1_000);

        assertFalse(report.isMet());
        assertEquals(List.of(Outcome.OK, Outcome.OK, Outcome.OK, Outcome.MISSED, Outcome.OK), outcomes(report));
        assertText(
                report,
                "Not carried: 800 streams, 100.0 events/s, since p95 is 300 ms",
                "400 at 100.0 events/s (target at least 1,000)");
    }

    @Test
    void miss_ofABusyLoadGenerator_isInDoubt() {
        carried(400, 100);
        missed(800, 100, 300, BUSY);
        Report report = report(End.ALL_TRIED, 1_000, 100);

        assertFalse(report.isMet());
        assertEquals(Outcome.IN_DOUBT, outcomes(report).get(3));
        assertText(
                report,
                "The load generator itself was held up then, so the server may carry more",
                "(p99)",
                "IN DOUBT");
    }

    @Test
    void miss_onceInDoubtAndOnceNot_isAMiss() {
        carried(400, 100);
        missed(800, 100, 300, BUSY);
        missed(800, 100, 300, IDLE);

        assertEquals(Outcome.MISSED, outcomes(report(End.ALL_TRIED, 1_000, 100)).get(3));
    }

    /** However busy the load generator is, it loses no event of the server's. */
    @Test
    void miss_ofMoreThanTimes_isNotInDoubt() {
        carried(400, 100);
        Measurement.Streams lossy =
                new Measurement.Streams(800, 0, 9, 1, 0, new Percentiles(9, 1, 1, 1, 1), 1, 1, Map.of());
        Measurement seen = Measurements.seen(800, 100, 100, 0, 300, 300, Map.of(), lossy, BUSY);
        results.add(new Result(seen, Goal.DEPLOYMENT.shortfalls(seen), false));

        assertEquals(Outcome.MISSED, outcomes(report(End.ALL_TRIED, 1_000, 100)).get(3));
    }

    @Test
    void bounds_belowTheTargets_leaveThemUntried() {
        carried(100, 50);
        Report report = report(End.ALL_TRIED, 100, 50);

        assertFalse(report.isMet());
        assertEquals(
                List.of(Outcome.OK, Outcome.OK, Outcome.OK, Outcome.NOT_TRIED, Outcome.NOT_TRIED), outcomes(report));
        assertText(report, "More was not tried: --max-streams, --max-rate.");
    }

    @Test
    void rate_thatWasTooMuchFromTheStart_missesAllThatDependOnIt() {
        missed(50, 100, 300, IDLE);
        missed(50, 100, 300, IDLE);
        carried(50, 50);
        Report report = report(End.TIME_OVER, 1_000, 1_000);

        assertEquals(List.of(Outcome.MISSED, Outcome.OK, Outcome.OK, Outcome.MISSED, Outcome.MISSED), outcomes(report));
        assertText(report, "Carried: 50 streams", "50 (target at least 100)", "--duration");
    }

    @Test
    void refusals_areExplained() {
        Measurement refused = Measurements.seen(
                50,
                100,
                10,
                900,
                5,
                9,
                new TreeMap<>(Map.of("429", 800L, "503 queue_full", 100L)),
                new Measurement.Streams(
                        40, 0, 9, 0, 0, new Percentiles(9, 1, 1, 1, 1), 1, 1, Map.of("overloaded", 10L)),
                IDLE);
        results.add(new Result(refused, Goal.DEPLOYMENT.shortfalls(refused), false));

        assertText(
                report(End.ALL_TRIED, 1_000, 1_000),
                "No load that was tried is carried",
                "429 (800), 503 queue_full (100)",
                "429 is a rate limit",
                "503 is the server's word",
                "SSE_MAX_CONNECTIONS");
    }

    @Test
    void stop_beforeTheFirstStepIsOver_hasNothingToTellButWhatIsLeft() {
        Report report = report(End.STOPPED, 1_000, 1_000);

        assertFalse(report.isMet());
        assertText(report, "there is nothing to report", "bench-x-c0");
    }

    @Test
    void stop_inAStep_neitherCarriesNorMissesIt() {
        carried(50, 100);
        Measurement cut = Measurements.seen(100, 100, 1, 0, 900, 900, Map.of(), Measurements.streams(3), IDLE);
        results.add(new Result(cut, Goal.DEPLOYMENT.shortfalls(cut), true));
        Report report = report(End.STOPPED, 1_000, 1_000);

        assertEquals(Outcome.NOT_TRIED, outcomes(report).get(3));
        assertText(report, "Carried: 50 streams", "Stopped before all was tried.");
    }

    @Test
    void json_ofAReport_isOneLineThatParses() {
        carried(50, 100);
        missed(100, 100, 300, BUSY);
        String text = report(End.TIME_OVER, 1_000, 1_000).json();
        JsonNode json = JsonMapper.shared().readTree(text);

        assertEquals(1, text.lines().count());
        assertFalse(json.get("met").asBoolean());
        assertEquals("time_over", json.get("end").asString());
        assertEquals(50, json.at("/carried/streams").asInt());
        assertEquals("streams", json.at("/targets/3/name").asString());
        assertEquals("in_doubt", json.at("/targets/3/outcome").asString());
        assertEquals(2, json.get("steps").size());
        assertEquals("p95 is 300 ms", json.at("/steps/1/shortfalls/0").asString());
        assertEquals(300, json.at("/steps/1/ingestMillis/p95").asDouble());
        assertTrue(json.at("/steps/1/client/isLimit").asBoolean());
        assertEquals(123, json.at("/left/messages").asInt());
    }

    private void carried(int streams, double rate) {
        results.add(new Result(Measurements.inOrder(streams, rate), List.of(), false));
    }

    private void missed(int streams, double rate, double p95, ClientLoad client) {
        Measurement seen =
                Measurements.seen(streams, rate, rate, 0, p95, p95, Map.of(), Measurements.streams(streams), client);
        results.add(new Result(seen, Goal.DEPLOYMENT.shortfalls(seen), false));
    }

    private Report report(End end, int streamsMax, int rateMax) {
        Plan plan = Plan.ramp(streamsMax, rateMax, Follow.ONE, Duration.ofMinutes(2));
        Report.Left left = new Report.Left("bench-x-c0", "bench-x-c99", 100, 123);
        return new Report(URI.create("http://127.0.0.1:3000"), plan, results, left, end);
    }

    private static List<Outcome> outcomes(Report report) {
        return report.verdicts().stream().map(Verdict::outcome).toList();
    }

    private static void assertText(Report report, String... parts) {
        for (String part : parts) {
            assertTrue(report.text().contains(part), () -> part + " is not in\n" + report.text());
        }
    }
}
