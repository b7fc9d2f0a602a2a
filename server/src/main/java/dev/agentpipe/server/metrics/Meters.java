package dev.agentpipe.server.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/** Makes meters, all in the same way. Names are Micrometer's: {@code agentpipe.ingest.append} becomes {@code agentpipe_ingest_append_seconds}. */
final class Meters {

    /** Borders of buckets, in seconds. They include what alerts and targets name, so that those are exact. */
    static final double[] LATENCY = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10};

    static final double[] UPLOAD = {0.05, 0.2, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
    static final double[] STREAM = {1, 10, 60, 300, 1_800, 3_600, 14_400, 86_400};
    static final double[] GROUP = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000};

    private final MeterRegistry registry;
    /** Registries hold what they ask for counts by weak references. */
    private final Queue<Object> held = new ConcurrentLinkedQueue<>();

    Meters(MeterRegistry registry) {
        this.registry = registry;
    }

    MeterRegistry registry() {
        return registry;
    }

    /** @param tags names and values in turns */
    Timer timer(String name, String help, double[] seconds, String... tags) {
        return Timer.builder(name)
                .description(help)
                .tags(tags)
                .serviceLevelObjectives(Arrays.stream(seconds)
                        .mapToObj(border -> Duration.ofNanos(Math.round(border * 1e9)))
                        .toArray(Duration[]::new))
                .minimumExpectedValue(Duration.ofNanos(1))
                .maximumExpectedValue(Duration.ofDays(365))
                .register(registry);
    }

    DistributionSummary sizes(String name, String unit, String help, double[] borders) {
        return DistributionSummary.builder(name)
                .baseUnit(unit)
                .description(help)
                .serviceLevelObjectives(borders)
                .register(registry);
    }

    Counter counter(String name, String unit, String help, String... tags) {
        return Counter.builder(name).baseUnit(unit).description(help).tags(tags).register(registry);
    }

    /** Of what is counted elsewhere. */
    void counted(String name, String unit, String help, Supplier<? extends Number> count, String... tags) {
        held.add(count);
        FunctionCounter.builder(name, count, source -> source.get().doubleValue())
                .baseUnit(unit)
                .description(help)
                .tags(tags)
                .register(registry);
    }

    /** Of what is known when somebody asks; null where it is not. */
    void gauge(String name, String unit, String help, Supplier<? extends Number> value, String... tags) {
        Gauge.builder(name, () -> orNaN(value.get()))
                .baseUnit(unit)
                .description(help)
                .tags(tags)
                .strongReference(true)
                .register(registry);
    }

    private static Number orNaN(Number value) {
        return value == null ? Double.NaN : value;
    }
}
