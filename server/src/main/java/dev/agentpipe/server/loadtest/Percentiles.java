package dev.agentpipe.server.loadtest;

import org.HdrHistogram.Histogram;

/** Of durations, in milliseconds; all 0 if there are none. */
record Percentiles(long count, double p50, double p95, double p99, double max) {

    private static final double NANOS = 1e6;

    static Percentiles ofNanos(Histogram nanos) {
        return new Percentiles(
                nanos.getTotalCount(),
                nanos.getValueAtPercentile(50) / NANOS,
                nanos.getValueAtPercentile(95) / NANOS,
                nanos.getValueAtPercentile(99) / NANOS,
                nanos.getMaxValue() / NANOS);
    }
}
