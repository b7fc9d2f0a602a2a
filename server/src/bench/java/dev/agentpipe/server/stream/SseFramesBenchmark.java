package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.Frame;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
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

/** Encode: a record of the log to the bytes on the wire. An operation is one frame, of which there is one for all readers. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class SseFramesBenchmark {

    /** The message of the benchmarks, and one of 90 KiB that the CLI has sent. */
    @Param({"619", "93970"})
    public int payloadBytes;

    private final SseFrames frames = new SseFrames("k7f3");
    private LogRecord record;

    @Setup
    public void makeRecord() {
        record = new LogRecord(41_983, EventType.MESSAGE_CREATED, "c-1", new byte[payloadBytes]);
    }

    /** What nearly every reader gets. */
    @Benchmark
    public Frame frame() {
        return frames.frame(record);
    }

    /** And for the first reader who wants event names. */
    @Benchmark
    public byte[] frameNamed() {
        return frames.frame(record).bytes(SseFrames.form(true, true));
    }
}
