package dev.agentpipe.server.loadtest;

import java.util.Map;

/** What might be seen of a step; in order unless a test says what is not. */
final class Measurements {

    static final ClientLoad IDLE = new ClientLoad(0.1, 0.5, 0.2, 1);
    static final ClientLoad BUSY = new ClientLoad(0.9, 1, 0.95, 80);

    private Measurements() {}

    static Measurement inOrder(int streams, double rate) {
        return seen(streams, rate, rate, 0, 5, 9, Map.of(), streams(streams), IDLE);
    }

    static Measurement.Streams streams(int opened) {
        return new Measurement.Streams(opened, 0, 1_000, 0, 0, new Percentiles(1_000, 3, 5, 9, 12), 3, 3, Map.of());
    }

    static Measurement seen(
            int streams,
            double rate,
            double stored,
            long errors,
            double p95,
            double p99,
            Map<String, Long> failures,
            Measurement.Streams onStreams,
            ClientLoad client) {
        return new Measurement(
                new Step(streams, rate),
                10,
                (long) (10 * rate),
                stored,
                errors,
                new Percentiles((long) (10 * rate), 2, p95, p99, 2 * p99),
                failures,
                onStreams,
                client);
    }
}
