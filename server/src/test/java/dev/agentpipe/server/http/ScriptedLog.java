package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.MemoryEventLog;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** A log in memory that hangs, is away, or answers nonsense when a test says so. Thread-safe. */
final class ScriptedLog implements EventLog {

    private final MemoryEventLog memory = new MemoryEventLog("test", 100_000);
    /** Appends that have begun. */
    final Semaphore begun = new Semaphore(0);

    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile boolean away;
    private volatile UnaryOperator<Appended> result = UnaryOperator.identity();

    /** Appends wait until {@link #release}. */
    void hang() {
        gate = new CountDownLatch(1);
    }

    void release() {
        gate.countDown();
    }

    void away(boolean isAway) {
        away = isAway;
    }

    /** What becomes of the result of an append; may throw. */
    void result(UnaryOperator<Appended> change) {
        result = change;
    }

    @Override
    public LogState state() {
        if (away) {
            throw new LogUnavailableException("away", null);
        }
        return memory.state();
    }

    @Override
    public Appended append(List<Event> events) {
        begun.release();
        try {
            if (!gate.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("never released");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        state();
        return result.apply(memory.append(events));
    }

    @Override
    public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        return memory.read(after, upTo, filter, recordsMax, bytesMax);
    }

    @Override
    public long beforeLast(int count, EventFilter filter) {
        return memory.beforeLast(count, filter);
    }
}
