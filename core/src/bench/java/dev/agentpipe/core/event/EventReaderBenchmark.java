package dev.agentpipe.core.event;

import java.io.IOException;
import java.io.UncheckedIOException;
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
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Parse: bytes to an event, on bodies that the real CLI has sent. An operation is one body. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class EventReaderBenchmark {

    /** Each has one body a line; they are read in turn. */
    @Param({
        "message.created.full",
        "message.created.unicode",
        "message.created.90KiB-content",
        "conversation.started.with-command",
        "conversation.completed.with-summary"
    })
    public String fixture;

    private final EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
    private final List<byte[]> bodies = new ArrayList<>();
    private int next;

    @Setup
    public void load() {
        String name = "/fixtures/" + fixture + ".jsonl";
        try (var in = EventReaderBenchmark.class.getResourceAsStream(name)) {
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .forEach(line -> bodies.add(line.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Benchmark
    public ReadResult read() {
        next = next + 1 < bodies.size() ? next + 1 : 0;
        return reader.readJson(bodies.get(next));
    }
}
