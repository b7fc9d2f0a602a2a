package dev.agentpipe.server.metrics;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.redact.Redactor;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.undertow.util.Methods;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What is recorded for each event that is ingested, one event a request: in nanoseconds an event, in groups of so many. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MetricsBenchmark {

    private static final int GROUP = 100;

    private final Meters meters = new Meters(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    private final EventMetrics events = new EventMetrics(meters);
    private final HttpMetrics http = new HttpMetrics(meters);
    private final List<Event> group = new ArrayList<>();
    private Appended appended;
    private Appended appendedOne;
    private long nanos;

    @Setup
    public void read() {
        EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC(), Redactor.OFF);
        List<AppendResult> results = new ArrayList<>();
        for (int i = 0; i < GROUP; i++) {
            String body = "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"c\",\"agent_type\":\"claude\","
                    + "\"content\":\"message " + i + "\"}}";
            ReadResult.Events read = (ReadResult.Events) reader.readJson(body.getBytes(StandardCharsets.UTF_8));
            group.add(((ReadResult.Item.Accepted) read.items().get(0)).event());
            results.add(new AppendResult.Stored(i + 1));
        }
        appended = new Appended(0, GROUP, results);
        appendedOne = new Appended(0, 1, results.subList(0, 1));
    }

    private long nextNanos() {
        nanos = (nanos + 1_237_911) % 40_000_000;
        return nanos;
    }

    @Benchmark
    @OperationsPerInvocation(GROUP)
    public void eventInAGroupOf100() {
        events.committed(group, appended, nextNanos());
        for (int i = 0; i < GROUP; i++) {
            events.acknowledged(nextNanos());
            http.request("/api/ingest", Methods.POST, 2).record(nextNanos(), TimeUnit.NANOSECONDS);
        }
    }

    @Benchmark
    public void eventAlone() {
        events.committed(group.subList(0, 1), appendedOne, nextNanos());
        events.acknowledged(nextNanos());
        http.request("/api/ingest", Methods.POST, 2).record(nextNanos(), TimeUnit.NANOSECONDS);
    }
}
