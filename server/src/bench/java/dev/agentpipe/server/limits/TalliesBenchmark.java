package dev.agentpipe.server.limits;

import java.time.Duration;
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
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a limit costs an event that it lets through, on a node by itself. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class TalliesBenchmark {

    /** So many that none of it is ever refused. */
    private final Quota quota = new Quota("ingest", "events", 1_000_000_000, Duration.ofSeconds(1));

    private final Tallies tallies = new Tallies(quota.windowNanos(), System::nanoTime);

    @Param({"1", "10000"})
    public int conversations;

    private int next;

    @Benchmark
    public long take() {
        next = (next + 1) % conversations;
        Charge charge = Charge.of(quota, "1f3a9c02:5a3c1c7e-4d1b-4b57-9d5e-" + next, 1);
        return tallies.take(List.of(charge)).remaining();
    }
}
