package dev.agentpipe.server.loadtest;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a deployment is to carry, and how well.
 *
 * @param p95Millis of the answers to posted events, from when they were due
 * @param p99Millis the same; infinite where it does not matter
 * @param errorShare of the events that were due, at most
 */
public record Goal(int streams, double eventsPerSecond, double p95Millis, double p99Millis, double errorShare) {

    /** The targets of a deployment: 1,000 streams, 100 events a second. */
    public static final Goal DEPLOYMENT = new Goal(1_000, 100, 200, 500, 0.001);

    /** The scenario that {@code conf/k6/load-test.js} runs as well: 50 streams, 1,000 events a minute. */
    public static final Goal STEADY = new Goal(50, 1_000.0 / 60, 500, Double.POSITIVE_INFINITY, 0.01);

    /** So much less than what is due may be answered in time: a step is short, and its ends are blurred. */
    private static final double ANSWERED_SHARE = 0.95;

    private static final double DELAY_GROWTH = 2;
    private static final double DELAY_GROWTH_MILLIS = 100;

    /** In what a measurement falls short of carrying its step as well as asked; empty if in nothing. */
    List<Shortfall> shortfalls(Measurement seen) {
        List<Shortfall> found = new ArrayList<>();
        double offered = seen.step().eventsPerSecond();
        if (seen.answeredPerSecond() < ANSWERED_SHARE * offered) {
            found.add(late("%,.1f of %,.1f events/s were stored in time", seen.answeredPerSecond(), offered));
        }
        if (seen.errorShare() > errorShare) {
            found.add(wrong("%.2f %% errors: %s", 100 * seen.errorShare(), counts(seen.failures())));
        }
        if (seen.latency().p95() > p95Millis) {
            found.add(late("p95 is %,.0f ms", seen.latency().p95()));
        }
        if (seen.latency().p99() > p99Millis) {
            found.add(late("p99 is %,.0f ms", seen.latency().p99()));
        }
        streamShortfalls(seen, found);
        return found;
    }

    private static void streamShortfalls(Measurement seen, List<Shortfall> found) {
        Measurement.Streams streams = seen.streams();
        int wanted = seen.step().streams();
        if (streams.opened() < wanted) {
            found.add(wrong("%,d of %,d streams opened: %s", streams.opened(), wanted, counts(streams.failures())));
        } else if (streams.lost() > 0) {
            found.add(wrong("%,d streams were lost: %s", streams.lost(), counts(streams.failures())));
        }
        if (streams.missing() > 0) {
            found.add(wrong("%,d deliveries are missing", streams.missing()));
        }
        if (streams.disordered() > 0) {
            found.add(wrong("%,d deliveries out of order or repeated", streams.disordered()));
        }
        if (streams.delayLate() > DELAY_GROWTH * streams.delayEarly() + DELAY_GROWTH_MILLIS) {
            found.add(late(
                    "the streams fall behind: p50 of the delay grew from %,.0f to %,.0f ms",
                    streams.delayEarly(), streams.delayLate()));
        }
    }

    /** Such as {@code 503 queue_full (12), HttpTimeoutException (1)}. */
    private static String counts(Map<String, Long> failures) {
        return failures.entrySet().stream()
                .map(one -> text("%s (%,d)", one.getKey(), one.getValue()))
                .collect(Collectors.joining(", "));
    }

    private static Shortfall late(String format, Object... values) {
        return new Shortfall(true, text(format, values));
    }

    private static Shortfall wrong(String format, Object... values) {
        return new Shortfall(false, text(format, values));
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
