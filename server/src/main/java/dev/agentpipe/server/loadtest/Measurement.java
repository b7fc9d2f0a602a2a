package dev.agentpipe.server.loadtest;

import java.util.Map;

/**
 * What was seen of one step.
 *
 * @param seconds of the time that counts; the step's beginning does not
 * @param due events that were to be sent in that time
 * @param answeredPerSecond events that were answered as stored in that time
 * @param errors events of that time that were refused, or not answered at all
 * @param latency of the answers, from when an event was due
 * @param failures how often what went wrong: answers by status and code, network errors by name
 */
record Measurement(
        Step step,
        double seconds,
        long due,
        double answeredPerSecond,
        long errors,
        Percentiles latency,
        Map<String, Long> failures,
        Streams streams,
        ClientLoad client) {

    /**
     * @param opened that were open when the step began
     * @param lost of those, that ended before it was over
     * @param deliveries events that arrived, summed over all streams
     * @param missing of the acknowledged events, those that did not arrive, summed over the streams that should have them
     * @param disordered events whose id was not above the one before it on the same stream: out of order, or repeated
     * @param delay from when an event was due until a stream had it
     * @param delayEarly p50 of the delay in the first half of the time, in milliseconds
     * @param delayLate the same in the second half
     */
    record Streams(
            int opened,
            int lost,
            long deliveries,
            long missing,
            long disordered,
            Percentiles delay,
            double delayEarly,
            double delayLate,
            Map<String, Long> failures) {}

    double errorShare() {
        return due == 0 ? 0 : (double) errors / due;
    }
}
