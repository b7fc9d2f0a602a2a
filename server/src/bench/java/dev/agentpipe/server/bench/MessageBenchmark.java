package dev.agentpipe.server.bench;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.server.bench.load.Messages;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
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

/** Parse: the message that {@code bin/bench} sends. An operation is one request, of one event or of a hundred. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class MessageBenchmark {

    @Param({"1", "100"})
    public int events;

    private final EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
    private byte[] one;
    private byte[] array;
    private byte[] lines;

    @Setup
    public void write() {
        Messages messages = new Messages();
        one = messages.text(0, 0, 0).getBytes(StandardCharsets.US_ASCII);
        array = IntStream.range(0, events)
                .mapToObj(i -> messages.text(i, i, i))
                .collect(Collectors.joining(",", "[", "]"))
                .getBytes(StandardCharsets.US_ASCII);
        lines = IntStream.range(0, events)
                .mapToObj(i -> messages.text(i, i, i))
                .collect(Collectors.joining("\n"))
                .getBytes(StandardCharsets.US_ASCII);
    }

    @Benchmark
    public ReadResult array() {
        return reader.readJson(events == 1 ? one : array);
    }

    @Benchmark
    public ReadResult lines() {
        return reader.readLines(lines);
    }
}
