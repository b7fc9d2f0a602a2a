package dev.agentpipe.core.log;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.log.CommitOutcome.Committed;
import dev.agentpipe.core.log.CommitOutcome.Reason;
import dev.agentpipe.core.log.CommitOutcome.Refused;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Appends events in groups, so that the cost of a commit is shared and no caller's thread waits for one.
 *
 * <p>One thread, {@code log-writer}, takes what the queue holds, commits it in one round trip, answers those who wait, and
 * goes on. It never lingers for more: at a low rate an event commits alone, at once; under load the next group gathers
 * while the last one is being written, so groups grow by themselves to what the storage needs. A second writer brings
 * nothing, since both would take turns on the lock that orders the log.
 *
 * <p>Answers go out by the executor that each caller named, one task for each executor and group: in the server that is
 * the I/O thread of the request.
 *
 * <p>Nobody waits for longer than the deadline. {@link #expire()}, called on a clock's tick, answers those who did, also
 * while the writer hangs in the storage; from then on newcomers are refused at once, until an append or a probe succeeds.
 * An event that was answered so may still be committed. That is safe because its sender, told to come back, sends the same
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
    private final Telemetry telemetry;
    private final SubmissionQueue queue;
    private final Thread writer = new Thread(this::write, "log-writer");

    public GroupCommit(EventLog eventLog, LogTail tail, Limits limits) {
        this(eventLog, tail, limits, Telemetry.NONE);
    }

    public GroupCommit(EventLog eventLog, LogTail tail, Limits limits, Telemetry telemetry) {
        this.telemetry = telemetry;
        this.eventLog = eventLog;
        this.tail = tail;
        this.limits = limits;
        this.queue = new SubmissionQueue(limits);
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
        submit(new Submission(events, System.nanoTime(), replyOn, reply, false));
    }

    /**
     * Has an event go the way of all others, in a group of its own, and leave nothing behind ({@link EventLog#rehearse}).
     *
     * @param reply told an empty {@link Committed}, or why not
     */
    public void rehearse(Event event, Executor replyOn, Consumer<CommitOutcome> reply) {
        submit(new Submission(List.of(event), System.nanoTime(), replyOn, reply, true));
    }

    private void submit(Submission submission) {
        Reason refused = queue.add(submission);
        if (refused != null) {
            answer(submission, new Refused(refused));
        }
    }

    /** Whether appends can be expected to succeed. */
    public boolean available() {
        return !queue.isStalled();
    }

    /** Events that wait for the writer. */
    public int queuedEvents() {
        return queue.waitingEvents();
    }

    /** How many may wait. */
    public int queuedEventsMax() {
        return limits.queueEventsMax;
    }

    /** Answers those whose deadline has passed. To be called several times within a deadline. */
    public void expire() {
        refuse(queue.expired(System.nanoTime() - limits.deadline.toNanos()), Reason.TIMED_OUT);
    }

    /** The log-writer's life: until closed and drained. */
    private void write() {
        for (List<Submission> group = queue.takeGroup(); !group.isEmpty(); group = queue.takeGroup()) {
            try {
                commit(group);
                queue.landed(true);
            } catch (LogUnavailableException e) {
                log.warn("The log is unavailable, events are refused until it is back: {}", e.getMessage());
                queue.landed(false);
                refuse(group, Reason.UNAVAILABLE);
                refuseUntilAvailable();
            } catch (RuntimeException | Error e) { // a defect; it must not end the only thread that appends
                log.error("An append failed after the log had taken it", e);
                queue.landed(true);
                refuse(group, Reason.FAILED);
            }
        }
    }

    private void commit(List<Submission> group) {
        if (group.get(0).isRehearsal) {
            eventLog.rehearse(group.get(0).events.get(0));
            reply(group, List.of(new Committed(List.of())));
            return;
        }
        List<Event> events = group.size() == 1 ? group.get(0).events : concat(group);
        Appended appended;
        long start = System.nanoTime();
        try {
            appended = appendTwice(events);
        } catch (LogUnavailableException e) {
            throw e;
        } catch (RuntimeException e) {
            commitApart(group, e);
            return;
        }
        long end = System.nanoTime();
        tail.committed(appended, events);
        telemetry.committed(events, appended, end - start);
        List<CommitOutcome> outcomes = new ArrayList<>(group.size());
        int from = 0;
        for (Submission submission : group) {
            int to = from + submission.events.size();
            outcomes.add(new Committed(appended.results().subList(from, to)));
            telemetry.acknowledged(end - submission.sinceNanos);
            from = to;
        }
        reply(group, outcomes);
    }

    private static List<Event> concat(List<Submission> group) {
        List<Event> events = new ArrayList<>();
        group.forEach(submission -> events.addAll(submission.events));
        return events;
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
    private void commitApart(List<Submission> group, RuntimeException cause) {
        if (group.size() > 1) {
            group.forEach(submission -> commit(List.of(submission)));
            return;
        }
        logRefusal(group.get(0), cause);
        refuse(group, Reason.FAILED);
    }

    private static void logRefusal(Submission submission, RuntimeException cause) {
        if (submission.requestId != null) {
            MDC.put(Submission.REQUEST_ID, submission.requestId);
        }
        String type = submission.events.get(0).envelope().type().wireName();
        log.error(
                "The log refused an append of {} events, the first of type {}", submission.events.size(), type, cause);
        MDC.remove(Submission.REQUEST_ID);
    }

    private void refuseUntilAvailable() {
        boolean closed = false;
        while (!closed) {
            refuse(queue.removeAll(), Reason.UNAVAILABLE);
            closed = queue.awaitClosed(limits.probeInterval);
            if (!closed && probe()) {
                return;
            }
        }
        refuse(queue.removeAll(), Reason.UNAVAILABLE);
    }

    /** Appends nothing: a log that can be read but not written (a standby) would pass for available otherwise. */
    private boolean probe() {
        try {
            eventLog.append(List.of());
        } catch (RuntimeException stillAway) {
            return false;
        }
        queue.landed(true);
        log.info("The log is available again");
        return true;
    }

    private void refuse(List<Submission> some, Reason reason) {
        reply(some, some.stream().<CommitOutcome>map(one -> new Refused(reason)).toList());
    }

    /** One task for each executor, so that an I/O thread is woken once for a group, not once for an event. */
    private void reply(List<Submission> some, List<CommitOutcome> outcomes) {
        Map<Executor, List<Runnable>> replies = new IdentityHashMap<>();
        for (int i = 0; i < some.size(); i++) {
            Submission submission = some.get(i);
            CommitOutcome outcome = outcomes.get(i);
            replies.computeIfAbsent(submission.replyOn, executor -> new ArrayList<>())
                    .add(() -> answer(submission, outcome));
        }
        replies.forEach((executor, tasks) -> {
            try {
                executor.execute(() -> tasks.forEach(GroupCommit::run));
            } catch (RejectedExecutionException e) {
                log.warn("{} replies have nowhere to go, the server is stopping", tasks.size());
            }
        });
    }

    private void answer(Submission submission, CommitOutcome outcome) {
        if (submission.answer(outcome) && outcome instanceof Refused refused && !submission.isRehearsal) {
            telemetry.refused(submission.events.size(), refused.reason());
        }
    }

    private static void run(Runnable reply) {
        try {
            reply.run();
        } catch (RuntimeException e) {
            log.error("A reply to an append failed", e);
        }
    }

    /** Refuses newcomers, commits what waits, and returns when the writer is done or after twice the deadline. */
    @Override
    public void close() {
        queue.close();
        try {
            writer.join(2 * limits.deadline.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (writer.isAlive()) {
            log.warn("The log-writer did not finish in time; what it holds was not acknowledged");
        }
    }
}
