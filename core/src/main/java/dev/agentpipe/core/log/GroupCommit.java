package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.log.CommitOutcome.Committed;
import dev.agentpipe.core.log.CommitOutcome.Reason;
import dev.agentpipe.core.log.CommitOutcome.Refused;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends events in groups, so that the cost of a commit is shared and no caller's thread waits for one.
 *
 * <p>One thread, {@code log-writer}, takes what the queue holds, commits it in one round trip, answers those who wait, and
 * goes on. It never lingers for more: at a low rate an event commits alone, at once; under load the next group gathers
 * while the last one is being written, so groups grow by themselves to what the storage needs. A second writer brings
 * nothing, since both would take turns on the lock of the log's head.
 *
 * <p>Answers go out by the executor that each caller named, one task for each executor and group: in the server that is
 * the I/O thread of the request.
 *
 * <p>Nobody waits for longer than the deadline. {@link #expire()}, called on a clock's tick, answers those who did, also
 * while the writer hangs in the storage; from then on newcomers are refused at once, until an append or a probe succeeds.
 * An event that was answered so may still be committed. It is safe because its sender, told to come back, sends the same
 * event again, and the log stores it once.
 *
 * <p>Thread-safe.
 */
public final class GroupCommit implements AutoCloseable {

    /**
     * Bounds of the queue and of a group.
     *
     * @param queueEventsMax events that may wait; beyond it a caller is refused
     * @param queueBytesMax bytes of payload that may wait
     * @param groupEventsMax events of one commit; 512 is where measured throughput stops growing. One call with more
     *     events than this is committed as one group of its own.
     * @param groupBytesMax bytes of payload of one commit
     * @param deadline how long a caller waits at most
     * @param probeInterval how often the storage is tried while it is away
     */
    public record Limits(
            int queueEventsMax,
            long queueBytesMax,
            int groupEventsMax,
            long groupBytesMax,
            Duration deadline,
            Duration probeInterval) {

        public static final Limits DEFAULT =
                new Limits(16_384, 64L << 20, 512, 8L << 20, Duration.ofMillis(1_500), Duration.ofMillis(100));

        public Limits {
            if (queueEventsMax < groupEventsMax || queueBytesMax < groupBytesMax) {
                throw new IllegalArgumentException("the queue must hold at least one group");
            }
        }
    }

    private static final Logger log = LoggerFactory.getLogger(GroupCommit.class);

    private final EventLog eventLog;
    private final LogTail tail;
    private final Limits limits;
    private final Thread writer = new Thread(this::write, "log-writer");

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by lock.
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private int queuedEvents;
    private long queuedBytes;
    private boolean closed;
    /** What log-writer is committing. */
    private List<Waiting> inFlight = List.of();
    /** The last append or probe failed, or one has been out for longer than the deadline. Read without the lock. */
    private volatile boolean unavailable;

    /** A call that was not answered yet. */
    private static final class Waiting {
        final List<Event> events;
        final long bytes;
        final long since = System.nanoTime();
        final Executor replyOn;
        final Consumer<CommitOutcome> reply;
        final AtomicBoolean answered = new AtomicBoolean();

        Waiting(List<Event> events, Executor replyOn, Consumer<CommitOutcome> reply) {
            this.events = events;
            this.replyOn = replyOn;
            this.reply = reply;
            long sum = 0;
            for (Event event : events) {
                sum += event.envelope().payload().length;
            }
            this.bytes = sum;
        }

        void answer(CommitOutcome outcome) {
            if (answered.compareAndSet(false, true)) {
                reply.accept(outcome);
            }
        }
    }

    public GroupCommit(EventLog eventLog, LogTail tail, Limits limits) {
        this.eventLog = eventLog;
        this.tail = tail;
        this.limits = limits;
    }

    public GroupCommit start() {
        writer.start();
        return this;
    }

    /**
     * Takes events to be appended in one transaction and returns at once.
     *
     * @param events at least one
     * @param replyOn where the reply is called. A refusal that is known at once is replied on the caller's thread,
     *     before this returns.
     */
    public void append(List<Event> events, Executor replyOn, Consumer<CommitOutcome> reply) {
        Waiting waiting = new Waiting(events, replyOn, reply);
        Reason refused = unavailable ? Reason.UNAVAILABLE : enqueue(waiting);
        if (refused != null) {
            waiting.answer(new Refused(refused));
        }
    }

    private Reason enqueue(Waiting waiting) {
        lock.lock();
        try {
            if (closed) {
                return Reason.CLOSED;
            }
            boolean fits = queuedEvents + waiting.events.size() <= limits.queueEventsMax
                    && queuedBytes + waiting.bytes <= limits.queueBytesMax;
            if (!fits && !queue.isEmpty()) {
                return Reason.QUEUE_FULL;
            }
            queue.add(waiting);
            queuedEvents += waiting.events.size();
            queuedBytes += waiting.bytes;
            changed.signal();
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Whether appends can be expected to succeed. */
    public boolean available() {
        return !unavailable;
    }

    /** Events that wait for the writer. */
    public int queuedEvents() {
        lock.lock();
        try {
            return queuedEvents;
        } finally {
            lock.unlock();
        }
    }

    /** Answers those whose deadline has passed. To be called several times within a deadline. */
    public void expire() {
        long now = System.nanoTime();
        List<Waiting> late = new ArrayList<>();
        lock.lock();
        try {
            for (Waiting waiting : inFlight) {
                if (isLate(waiting, now)) {
                    late.add(waiting);
                    unavailable = true;
                }
            }
            while (!queue.isEmpty() && isLate(queue.peek(), now)) {
                late.add(take());
            }
        } finally {
            lock.unlock();
        }
        reply(late, waiting -> new Refused(Reason.TIMED_OUT));
    }

    private boolean isLate(Waiting waiting, long now) {
        return !waiting.answered.get() && now - waiting.since > limits.deadline.toNanos();
    }

    private Waiting take() {
        Waiting waiting = queue.remove();
        queuedEvents -= waiting.events.size();
        queuedBytes -= waiting.bytes;
        return waiting;
    }

    /** The log-writer's life: until closed and drained. */
    private void write() {
        for (List<Waiting> group = next(); !group.isEmpty(); group = next()) {
            try {
                commit(group);
                landed(false);
            } catch (LogUnavailableException e) {
                log.warn("The log is unavailable, events are refused until it is back: {}", e.getMessage());
                landed(true);
                reply(group, waiting -> new Refused(Reason.UNAVAILABLE));
                refuseUntilAvailable();
            }
        }
    }

    /** Under the lock, so that {@link #expire()} cannot call the storage hung for a group that has just landed. */
    private void landed(boolean failed) {
        lock.lock();
        try {
            inFlight = List.of();
            unavailable = failed;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for work; empty means that there is none and never will be. */
    private List<Waiting> next() {
        lock.lock();
        try {
            while (queue.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            List<Waiting> group = new ArrayList<>();
            int events = 0;
            long bytes = 0;
            while (!queue.isEmpty()
                    && (group.isEmpty()
                            || (events + queue.peek().events.size() <= limits.groupEventsMax
                                    && bytes + queue.peek().bytes <= limits.groupBytesMax))) {
                Waiting waiting = take();
                group.add(waiting);
                events += waiting.events.size();
                bytes += waiting.bytes;
            }
            inFlight = group;
            return group;
        } finally {
            lock.unlock();
        }
    }

    private void commit(List<Waiting> group) {
        List<Event> events = group.size() == 1 ? group.get(0).events : concat(group);
        Appended appended;
        try {
            appended = appendTwice(events);
        } catch (LogUnavailableException e) {
            throw e;
        } catch (RuntimeException e) {
            commitApart(group, e);
            return;
        }
        tail.committed(appended, events);
        Map<Waiting, CommitOutcome> outcomes = new IdentityHashMap<>();
        int from = 0;
        for (Waiting waiting : group) {
            int to = from + waiting.events.size();
            outcomes.put(waiting, new Committed(appended.results().subList(from, to)));
            from = to;
        }
        reply(group, outcomes::get);
    }

    /**
     * A connection that died while it was idle (a restart of the database, a firewall) shows at its next use. One more
     * try, on a fresh one, hides that; the log's identity of events makes it safe even if the first try did commit.
     */
    private Appended appendTwice(List<Event> events) {
        try {
            return eventLog.append(events);
        } catch (LogUnavailableException first) {
            return eventLog.append(events);
        }
    }

    /** The storage refuses something in this group: each caller apart, so that one's events do not fail another's. */
    private void commitApart(List<Waiting> group, RuntimeException cause) {
        if (group.size() > 1) {
            for (Waiting waiting : group) {
                commit(List.of(waiting));
            }
            return;
        }
        Event first = group.get(0).events.get(0);
        log.error(
                "The log refused an append of {} events, the first of type {}",
                group.get(0).events.size(),
                first.envelope().type().wireName(),
                cause);
        reply(group, waiting -> new Refused(Reason.FAILED));
    }

    private void refuseUntilAvailable() {
        boolean away = true;
        while (away) {
            List<Waiting> refused = new ArrayList<>();
            lock.lock();
            try {
                while (!queue.isEmpty()) {
                    refused.add(take());
                }
                if (closed) {
                    away = false;
                } else {
                    changed.awaitNanos(limits.probeInterval.toNanos());
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } finally {
                lock.unlock();
            }
            reply(refused, waiting -> new Refused(Reason.UNAVAILABLE));
            away = away && !probe();
        }
    }

    /** Appends nothing: a log that can be read but not written (a standby) would pass for available otherwise. */
    private boolean probe() {
        try {
            eventLog.append(List.of());
        } catch (RuntimeException stillAway) {
            return false;
        }
        landed(false);
        log.info("The log is available again");
        return true;
    }

    /** One task for each executor, so that an I/O thread is woken once for a group, not once for an event. */
    private static void reply(List<Waiting> group, Function<Waiting, CommitOutcome> outcome) {
        Map<Executor, List<Waiting>> byExecutor = new IdentityHashMap<>();
        for (Waiting waiting : group) {
            byExecutor.computeIfAbsent(waiting.replyOn, e -> new ArrayList<>()).add(waiting);
        }
        byExecutor.forEach((executor, some) -> {
            List<CommitOutcome> outcomes = some.stream().map(outcome).toList();
            try {
                executor.execute(() -> {
                    for (int i = 0; i < some.size(); i++) {
                        answer(some.get(i), outcomes.get(i));
                    }
                });
            } catch (RejectedExecutionException e) {
                log.debug("Replies to {} appends come too late, the threads that sent them have ended", some.size());
            }
        });
    }

    private static void answer(Waiting waiting, CommitOutcome outcome) {
        try {
            waiting.answer(outcome);
        } catch (RuntimeException e) {
            log.error("A reply to an append failed", e);
        }
    }

    private static List<Event> concat(List<Waiting> group) {
        List<Event> events = new ArrayList<>();
        for (Waiting waiting : group) {
            events.addAll(waiting.events);
        }
        return events;
    }

    /** Refuses newcomers, commits what waits, and returns when the writer is done or after twice the deadline. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            writer.join(TimeUnit.NANOSECONDS.toMillis(2 * limits.deadline.toNanos()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (writer.isAlive()) {
            log.warn("The log-writer did not finish in time; what it holds was not acknowledged");
        }
    }
}
