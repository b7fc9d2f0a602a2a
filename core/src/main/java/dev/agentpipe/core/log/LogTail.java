package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.AppendResult.Stored;
import dev.agentpipe.core.log.EventLog.Page;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAccumulator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This node's cursor in the log: hands every record to the listener once, in the order of positions, whichever node
 * appended it.
 *
 * <p>What this node commits need not be read back: an append owns the positions after {@code headBefore} up to its head, so
 * if the cursor stands at {@code headBefore}, its events are exactly what comes next. Else other nodes have appended in
 * between, and the log is read up to there first. Hints may come late, twice or not at all; only positions decide, and a
 * slow poll finds what no hint told.
 *
 * <p>All of it happens on one thread, {@code log-tail}, so the cursor needs no lock. The queue in front of it is bounded
 * and may drop: what is dropped is a copy, and will be read from the log.
 *
 * <p>Thread-safe.
 */
public final class LogTail implements AutoCloseable {

    /** Takes the records on. Called by one thread at a time. */
    public interface Listener {

        /** All records after the {@code through} of the call before, up to this one. Must not block. */
        void advanced(List<LogRecord> records, long through);

        /**
         * The same, for those who want to know how old the news are.
         *
         * @param sinceNanos when this node knew that the last of them is committed, by {@link System#nanoTime}
         */
        default void advanced(List<LogRecord> records, long through, long sinceNanos) {
            advanced(records, through);
        }

        /**
         * What it should have heard next, up to a position, is no longer retained: this server was frozen, or cut off from
         * the storage, for as long as events are kept. Must not block. The records after it follow a while later.
         */
        default void lost(long through) {}

        /**
         * All retained records after one position and up to another, where what it has begins. Must not block.
         *
         * @return whether it has taken them and wants those before them, too
         */
        default boolean preceded(List<LogRecord> records, long after, long upTo) {
            return false;
        }
    }

    private static final int QUEUED_MAX = 256;
    private static final int PAGE_RECORDS = 1_000;
    private static final int PAGE_BYTES = 4 << 20;

    private static final Logger log = LoggerFactory.getLogger(LogTail.class);

    /**
     * What the thread is told: own events, or only that the log has grown.
     *
     * @param task to be run instead; null in most cases
     */
    private record News(long headBefore, long head, List<LogRecord> records, long sinceNanos, Runnable task) {}

    private final EventLog eventLog;
    private final Listener listener;
    private final Duration pollInterval;
    private final Thread thread = new Thread(this::follow, "log-tail");
    private final BlockingQueue<News> news = new ArrayBlockingQueue<>(QUEUED_MAX);
    private final LongAccumulator seen;
    private volatile boolean closed;

    // Owned by log-tail.
    private long cursor;
    private Backfill backfill;
    private boolean failing;

    /**
     * @param from the position after which the listener wants to hear
     * @param pollInterval how soon another node's append is found when no hint tells of it
     */
    public LogTail(EventLog eventLog, long from, Duration pollInterval, Listener listener) {
        this.eventLog = eventLog;
        this.cursor = from;
        this.seen = new LongAccumulator(Math::max, from);
        this.backfill = new Backfill(eventLog, listener, from);
        this.pollInterval = pollInterval;
        this.listener = listener;
    }

    public LogTail start() {
        thread.start();
        return this;
    }

    /**
     * The greatest position that this node has heard of; the listener may not have its record yet. It covers whatever this
     * node has acknowledged.
     */
    public long seen() {
        return seen.get();
    }

    /** Tells of an append of this node. Never blocks. */
    void committed(Appended appended, List<Event> events) {
        seen.accumulate(appended.head());
        List<LogRecord> records = new ArrayList<>(events.size());
        for (int i = 0; i < events.size(); i++) {
            if (appended.results().get(i) instanceof Stored stored) {
                Event.Envelope envelope = events.get(i).envelope();
                records.add(new LogRecord(
                        stored.position(), envelope.type(), envelope.conversationId(), envelope.payload()));
            }
        }
        news.offer(new News(appended.headBefore(), appended.head(), records, System.nanoTime(), null));
    }

    /** Tells that the log has reached this position, by whomever. Never blocks. */
    public void hint(long head) {
        seen.accumulate(head);
        news.offer(new News(head, head, List.of(), System.nanoTime(), null));
    }

    /** Has the tail's thread do something after all that it was told before; false if too much waits for it. */
    public boolean afterNews(Runnable task) {
        return news.offer(new News(0, 0, List.of(), 0, task));
    }

    private void follow() {
        while (!closed) {
            try {
                News next = backfill != null ? news.poll() : news.poll(pollInterval.toNanos(), TimeUnit.NANOSECONDS);
                if (next != null) {
                    take(next);
                } else if (backfill != null) {
                    backfill = backfill.step() ? backfill : null;
                } else {
                    readUpTo(eventLog.state().head());
                }
                failing = false;
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException | Error e) { // nothing may end it unseen: all streams would fall silent
                pauseAfter(e);
            }
        }
    }

    private void take(News next) {
        if (next.task != null) {
            next.task.run();
        }
        if (next.head <= cursor) {
            return;
        }
        if (cursor <= next.headBefore) {
            readUpTo(next.headBefore);
            if (cursor < next.head) { // a hint names only a head
                deliver(next.records, next.head, next.sinceNanos);
            }
        } else {
            readUpTo(next.head); // a page ended inside of this append
        }
    }

    private void readUpTo(long head) {
        while (cursor < head && !closed) {
            Page page = eventLog.read(cursor, head, EventFilter.ALL, PAGE_RECORDS, PAGE_BYTES);
            if (page.hasLost(cursor)) {
                log.error("Events up to position {} were deleted before this server has seen them", page.floor());
                listener.lost(page.floor());
                cursor = page.floor();
                pause();
            } else {
                deliver(page.records(), page.through(), System.nanoTime());
            }
        }
    }

    private void deliver(List<LogRecord> records, long through, long sinceNanos) {
        seen.accumulate(through);
        listener.advanced(records, through, sinceNanos);
        cursor = through;
    }

    /** Nothing is lost by a failure: the cursor stands where it stood, and the next turn reads from there. */
    private void pauseAfter(Throwable e) {
        if (!failing) {
            failing = true;
            log.warn(
                    "The log cannot be read, streams wait: {}",
                    e instanceof LogUnavailableException ? e.getMessage() : e.toString());
        }
        pause();
    }

    private void pause() {
        try {
            TimeUnit.NANOSECONDS.sleep(pollInterval.toNanos());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Stops following; what was committed before and not yet handed on is handed on by whoever starts next. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(TimeUnit.SECONDS.toMillis(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
