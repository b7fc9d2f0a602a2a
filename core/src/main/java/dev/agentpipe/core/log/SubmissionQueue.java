package dev.agentpipe.core.log;

import dev.agentpipe.core.log.CommitOutcome.Reason;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for the log-writer, bounded in events and bytes, and what the writer has taken and not brought back yet.
 *
 * <p>Thread-safe: one lock, under which nothing is called.
 */
final class SubmissionQueue {

    private final GroupCommit.Limits limits;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by lock.
    private final ArrayDeque<Submission> waiting = new ArrayDeque<>();
    private int waitingEvents;
    private long waitingBytes;
    private List<Submission> taken = List.of();
    private boolean closed;

    /** The storage failed or hangs. Written under the lock, read without. */
    private volatile boolean stalled;

    SubmissionQueue(GroupCommit.Limits limits) {
        this.limits = limits;
    }

    /** Null if it was taken in, else why not. */
    Reason add(Submission submission) {
        if (stalled) {
            return Reason.UNAVAILABLE;
        }
        lock.lock();
        try {
            if (closed) {
                return Reason.CLOSED;
            }
            boolean fits = waitingEvents + submission.events.size() <= limits.queueEventsMax()
                    && waitingBytes + submission.bytes <= limits.queueBytesMax();
            if (!fits && !waiting.isEmpty()) {
                return Reason.QUEUE_FULL;
            }
            waiting.add(submission);
            waitingEvents += submission.events.size();
            waitingBytes += submission.bytes;
            changed.signal();
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** The next group, in the order of arrival; waits for it. Empty once the queue is closed and drained. */
    List<Submission> takeGroup() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            List<Submission> group = new ArrayList<>();
            int events = 0;
            long bytes = 0;
            for (Submission next = waiting.peek(); next != null; next = waiting.peek()) {
                events += next.events.size();
                bytes += next.bytes;
                boolean fits = events <= limits.groupEventsMax() && bytes <= limits.groupBytesMax();
                boolean isAlone = next.isRehearsal || !group.isEmpty() && group.get(0).isRehearsal;
                if (!group.isEmpty() && (!fits || isAlone)) {
                    break;
                }
                group.add(removeFirst());
            }
            taken = group;
            return group;
        } finally {
            lock.unlock();
        }
    }

    private Submission removeFirst() {
        Submission first = waiting.remove();
        waitingEvents -= first.events.size();
        waitingBytes -= first.bytes;
        return first;
    }

    /**
     * The writer is done with its group, or has probed the storage. Under the lock, so that {@link #expired} cannot take the
     * storage for hung because of a group that has just landed.
     */
    void landed(boolean storageWorks) {
        lock.lock();
        try {
            taken = List.of();
            stalled = !storageWorks;
        } finally {
            lock.unlock();
        }
    }

    boolean isStalled() {
        return stalled;
    }

    /** Those, waiting or taken, who were here before a moment and have no answer. If one was taken, the storage hangs. */
    List<Submission> expired(long sinceNanos) {
        List<Submission> late = new ArrayList<>();
        lock.lock();
        try {
            for (Submission submission : taken) {
                if (submission.sinceNanos - sinceNanos < 0 && !submission.isAnswered()) {
                    late.add(submission);
                    stalled = true;
                }
            }
            while (!waiting.isEmpty() && waiting.peek().sinceNanos - sinceNanos < 0) {
                late.add(removeFirst());
            }
        } finally {
            lock.unlock();
        }
        return late;
    }

    /** Everything that waits. */
    List<Submission> removeAll() {
        lock.lock();
        try {
            List<Submission> all = new ArrayList<>();
            while (!waiting.isEmpty()) {
                all.add(removeFirst());
            }
            return all;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a time, or until closed; whether it is. */
    boolean awaitClosed(Duration time) {
        lock.lock();
        try {
            long left = time.toNanos();
            while (!closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            return closed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        } finally {
            lock.unlock();
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    int waitingEvents() {
        lock.lock();
        try {
            return waitingEvents;
        } finally {
            lock.unlock();
        }
    }
}
