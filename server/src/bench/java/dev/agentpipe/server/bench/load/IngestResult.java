package dev.agentpipe.server.bench.load;

import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What an ingest load did.
 *
 * @param firstEvent number of its first event; the others follow
 * @param events how many were sent
 * @param acknowledged how many of them were answered as stored and new
 * @param failures connections that broke, answers that did not come in time
 * @param statuses how many answers had which
 * @param seconds from the first request to the last answer
 * @param latencies of 2xx answers, in nanoseconds
 */
public record IngestResult(
        long firstEvent,
        long events,
        long acknowledged,
        long failures,
        Map<Integer, Long> statuses,
        double seconds,
        Histogram latencies) {

    public double eventsPerSecond() {
        return acknowledged / seconds;
    }

    public double latencyMillis(double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1e6;
    }

    public boolean isComplete() {
        return failures == 0 && acknowledged == events;
    }
}
