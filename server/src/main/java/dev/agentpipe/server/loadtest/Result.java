package dev.agentpipe.server.loadtest;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * A step and what became of it.
 *
 * @param shortfalls in what it was missed; empty if it was carried
 * @param isCut whether the run was stopped in its midst
 */
record Result(Measurement seen, List<Shortfall> shortfalls, boolean isCut) {

    boolean isCarried() {
        return shortfalls.isEmpty() && !isCut;
    }

    boolean isMissed() {
        return !shortfalls.isEmpty() && !isCut;
    }

    /** Whether what was missed may have been missed by the load generator. */
    boolean isInDoubt() {
        return isMissed() && seen.client().isLimit() && shortfalls.stream().allMatch(Shortfall::isLateness);
    }

    /** In what it was missed, for people. */
    String why() {
        return shortfalls.stream().map(Shortfall::text).collect(Collectors.joining("; "));
    }

    /** For people, as a run goes on. */
    String line() {
        String end = isCut ? "cut" : isCarried() ? "ok" : "MISSED: " + why();
        return String.format(
                Locale.ROOT,
                "%,6d streams %,8.1f events/s   p50 %s p95 %s p99 %s   delay p50 %s p99 %s   %s%s",
                seen.step().streams(),
                seen.step().eventsPerSecond(),
                millis(seen.latency().p50()),
                millis(seen.latency().p95()),
                millis(seen.latency().p99()),
                millis(seen.streams().delay().p50()),
                millis(seen.streams().delay().p99()),
                end,
                isInDoubt() ? " (the load generator was held up)" : "");
    }

    static String millis(double value) {
        return String.format(Locale.ROOT, value < 10 ? "%.1f ms" : "%,.0f ms", value);
    }
}
