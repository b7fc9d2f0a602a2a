package dev.agentpipe.server.loadtest;

import static dev.agentpipe.server.loadtest.Measurements.IDLE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.agentpipe.server.loadtest.Measurement.Streams;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class GoalTest {

    private static final Percentiles DELAY = new Percentiles(1_000, 3, 5, 9, 12);

    @Test
    void measurement_inOrder_hasNoShortfall() {
        assertEquals(List.of(), Goal.DEPLOYMENT.shortfalls(Measurements.inOrder(1_000, 100)));
    }

    /** Both sides of each limit, with 1,000 events due. */
    @Test
    void limits_ofAnswers_holdUpToThemselves() {
        assertShortfalls(answers(95, 1, 200, 500));
        assertShortfalls(answers(94.9, 0, 5, 9), "94.9 of 100.0 events/s were stored in time");
        assertShortfalls(answers(100, 0, 201, 500), "p95 is 201 ms");
        assertShortfalls(answers(100, 0, 200, 501), "p99 is 501 ms");
        assertShortfalls(answers(100, 2, 5, 9), "0.20 % errors: 429 (1), 503 queue_full (1)");
    }

    @Test
    void streams_inAnyWayWrong_areNamed() {
        assertShortfalls(
                streams(new Streams(40, 0, 9, 0, 0, DELAY, 3, 3, Map.of("overloaded", 10L))),
                "40 of 50 streams opened: overloaded (10)");
        assertShortfalls(
                streams(new Streams(50, 2, 9, 0, 0, DELAY, 3, 3, Map.of("IOException", 2L))),
                "2 streams were lost: IOException (2)");
        assertShortfalls(streams(new Streams(50, 0, 9, 1, 0, DELAY, 3, 3, Map.of())), "1 deliveries are missing");
        assertShortfalls(
                streams(new Streams(50, 0, 9, 0, 1, DELAY, 3, 3, Map.of())), "1 deliveries out of order or repeated");
        assertShortfalls(streams(new Streams(50, 0, 9, 0, 0, DELAY, 50, 200, Map.of())));
        assertShortfalls(
                streams(new Streams(50, 0, 9, 0, 0, DELAY, 50, 201, Map.of())),
                "the streams fall behind: p50 of the delay grew from 50 to 201 ms");
    }

    @Test
    void steady_hasNoLimitOfP99() {
        Measurement seen = Measurements.seen(50, 100, 100, 10, 500, 9_999, Map.of(), Measurements.streams(50), IDLE);

        assertEquals(List.of(), Goal.STEADY.shortfalls(seen));
    }

    private static Measurement answers(double stored, long errors, double p95, double p99) {
        Map<String, Long> failures = new TreeMap<>(Map.of("503 queue_full", 1L, "429", 1L));
        return Measurements.seen(50, 100, stored, errors, p95, p99, failures, Measurements.streams(50), IDLE);
    }

    private static Measurement streams(Streams streams) {
        return Measurements.seen(50, 100, 100, 0, 5, 9, Map.of(), streams, IDLE);
    }

    private static void assertShortfalls(Measurement seen, String... expected) {
        assertEquals(
                List.of(expected),
                Goal.DEPLOYMENT.shortfalls(seen).stream().map(Shortfall::text).toList());
    }
}
