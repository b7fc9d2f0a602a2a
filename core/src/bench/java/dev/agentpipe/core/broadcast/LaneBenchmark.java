package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Sweep: a batch of new events carried to all readers of one lane, whose connections take everything and cost nothing. So
 * this is the lane's own work, without the {@code write} of a socket. An operation is one batch of 16 events.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class LaneBenchmark {

    private static final int BATCH = 16;
    private static final Lane.Limits LIMITS =
            new Lane.Limits(Duration.ofDays(1), Duration.ofDays(1), Duration.ofMillis(1));

    @Param({"100", "1000", "5000"})
    public int readers;

    /** Whether each reader watches a conversation of its own, one of which each event belongs to; else they watch all. */
    @Param({"false", "true"})
    public boolean filtered;

    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private Broadcaster broadcaster;
    private long head;
    private long writes;
    private long writesBefore;
    private List<LogRecord> batch;

    @Setup
    public void attach() {
        broadcaster = new Broadcaster(PlainFrame::new, 0, Broadcaster.Limits.DEFAULT);
        Loop loop = new Loop() {
            @Override
            public void execute(Runnable task) {
                tasks.add(task);
            }

            @Override
            public void executeLater(Runnable task) {
                tasks.add(task);
            }
        };
        Replays replays = new Replays(new NoLog(), new PlainWire(), Runnable::run, 1);
        Lane lane = new Lane(broadcaster, new PlainWire(), replays, loop, LIMITS, System::nanoTime);
        for (int reader = 0; reader < readers; reader++) {
            EventFilter filter = filtered ? new EventFilter(Set.of("c-" + reader), Set.of()) : EventFilter.ALL;
            lane.attach(new Subscription(filter, 0, new Sink(), 0, Duration.ZERO));
        }
        run();
    }

    /** Made before the clock runs: positions must grow. */
    @Setup(Level.Invocation)
    public void nextBatch() {
        byte[] payload = new byte[619];
        batch = IntStream.rangeClosed(1, BATCH)
                .mapToObj(i -> new LogRecord(head + i, EventType.MESSAGE_CREATED, "c-" + (head + i) % readers, payload))
                .toList();
        head += BATCH;
        writesBefore = writes;
    }

    @Benchmark
    public long sweep() {
        broadcaster.advanced(batch, head);
        run();
        return writes;
    }

    /** A sweep that reached nobody would be fast. */
    @TearDown(Level.Invocation)
    public void check() {
        if (writes - writesBefore < Math.min(filtered ? BATCH : readers, readers)) {
            throw new IllegalStateException("only " + (writes - writesBefore) + " writes");
        }
    }

    private void run() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    private final class Sink implements Outlet {
        @Override
        public int write(ByteBuffer bytes) {
            int all = bytes.remaining();
            bytes.position(bytes.limit());
            writes++;
            return all;
        }

        @Override
        public void awaitWritable() {
            throw new IllegalStateException("it takes everything");
        }

        @Override
        public void close(CloseReason reason) {
            throw new IllegalStateException("closed: " + reason);
        }
    }

    private record PlainFrame(LogRecord record) implements Frame {
        @Override
        public long position() {
            return record.position();
        }

        @Override
        public EventType type() {
            return record.type();
        }

        @Override
        public String conversationId() {
            return record.conversationId();
        }

        @Override
        public byte[] bytes(int form) {
            return record.payload();
        }
    }

    private static final class PlainWire implements Wire {
        @Override
        public int forms() {
            return 1;
        }

        @Override
        public Frame frame(LogRecord record) {
            return new PlainFrame(record);
        }

        @Override
        public byte[] heartbeat(int form, long position) {
            return new byte[1];
        }

        @Override
        public byte[] farewell(int form, CloseReason reason) {
            return new byte[1];
        }
    }

    /** Nobody falls behind, so nobody reads it. */
    private static final class NoLog implements EventLog {
        @Override
        public LogState state() {
            throw new IllegalStateException();
        }

        @Override
        public Appended append(List<Event> events) {
            throw new IllegalStateException();
        }

        @Override
        public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
            throw new IllegalStateException("a reader fell out of the window");
        }

        @Override
        public long beforeLast(int count, EventFilter filter) {
            throw new IllegalStateException();
        }
    }
}
