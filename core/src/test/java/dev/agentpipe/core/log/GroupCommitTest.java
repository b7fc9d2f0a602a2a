package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.log.AppendResult.Duplicate;
import dev.agentpipe.core.log.AppendResult.Stored;
import dev.agentpipe.core.log.CommitOutcome.Committed;
import dev.agentpipe.core.log.CommitOutcome.Reason;
import dev.agentpipe.core.log.CommitOutcome.Refused;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GroupCommitTest {

    private static final Executor HERE = Runnable::run;
    private static final Duration DEADLINE = Duration.ofMillis(200);

    private final ScriptedLog log = new ScriptedLog();
    private final LogTail tail = new LogTail(log, 0, Duration.ofSeconds(60), (records, through) -> {});
    private final CountDownLatch gate = new CountDownLatch(1);
    private final CountDownLatch entered = new CountDownLatch(1);
    private GroupCommit commit = new GroupCommit(log, tail, limits(8, 1 << 20, 4)).start();

    @AfterEach
    void close() {
        gate.countDown();
        commit.close();
    }

    private static GroupCommit.Limits limits(int queueEvents, long queueBytes, int groupEvents) {
        return new GroupCommit.Limits(queueEvents, queueBytes, groupEvents, queueBytes, DEADLINE, Duration.ofMillis(5));
    }

    private CompletableFuture<CommitOutcome> append(Event... events) {
        CompletableFuture<CommitOutcome> reply = new CompletableFuture<>();
        commit.append(List.of(events), HERE, outcome -> {
            assertTrue(reply.complete(outcome), "answered twice");
        });
        return reply;
    }

    @Test
    void telemetry_isToldOfGroups_ofThoseWhoWait_andOfRefusals() throws Exception {
        List<String> told = Collections.synchronizedList(new ArrayList<>());
        commit.close();
        commit = new GroupCommit(log, tail, limits(8, 1 << 20, 4), new Telemetry() {
                    @Override
                    public void committed(List<Event> events, Appended appended, long nanos) {
                        told.add("committed " + events.size() + " "
                                + appended.results().size());
                    }

                    @Override
                    public void acknowledged(long waitedNanos) {
                        told.add("acknowledged");
                    }

                    @Override
                    public void refused(int events, CommitOutcome.Reason reason) {
                        told.add("refused " + events + " " + reason);
                    }
                })
                .start();

        await(append(event(1), event(2)));
        CompletableFuture<CommitOutcome> rehearsed = new CompletableFuture<>();
        commit.rehearse(event(3), HERE, rehearsed::complete);
        assertEquals(new CommitOutcome.Committed(List.of()), await(rehearsed));
        commit.close();
        await(append(event(4), event(5), event(6)));

        assertEquals(List.of("committed 2 2", "acknowledged", "refused 3 CLOSED"), told);
    }

    @Test
    void rehearse_amongOthers_goesAloneAndInItsTurn() throws Exception {
        hangAppends();
        CompletableFuture<CommitOutcome> first = append(event(1));
        assertTrue(entered.await(10, TimeUnit.SECONDS));
        CompletableFuture<CommitOutcome> second = append(event(2));
        CompletableFuture<CommitOutcome> rehearsed = new CompletableFuture<>();
        commit.rehearse(event(3), HERE, rehearsed::complete);
        CompletableFuture<CommitOutcome> third = append(event(4));
        log.beforeAppend(events -> {});
        gate.countDown();

        for (CompletableFuture<CommitOutcome> one : List.of(first, second, rehearsed, third)) {
            assertInstanceOf(CommitOutcome.Committed.class, await(one));
        }
        assertEquals(List.of(1, 1, 0, 1), log.appendSizes(), "a rehearsal appends nothing here");
        assertEquals(3, log.memory.state().head());
    }

    private static CommitOutcome await(CompletableFuture<CommitOutcome> reply) throws Exception {
        return reply.get(10, TimeUnit.SECONDS);
    }

    private static Event event(int number) {
        return message("c", "m" + number, "content");
    }

    /** The next append waits for the gate, as if the storage hung. */
    private void hangAppends() {
        log.beforeAppend(events -> {
            entered.countDown();
            awaitUninterruptibly(gate);
        });
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertTrue(latch.await(10, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void append_events_areAnsweredWithTheirPositions() throws Exception {
        Committed first = assertInstanceOf(Committed.class, await(append(event(1), event(2))));
        Committed again = assertInstanceOf(Committed.class, await(append(event(2))));

        assertEquals(List.of(new Stored(1), new Stored(2)), first.results());
        assertEquals(List.of(new Duplicate(2)), again.results());
    }

    @Test
    void append_whileTheWriterIsBusy_gathersGroupsUpToTheLimit() throws Exception {
        hangAppends();
        List<CompletableFuture<CommitOutcome>> replies = new ArrayList<>(List.of(append(event(0))));
        awaitUninterruptibly(entered);
        IntStream.rangeClosed(1, 7).forEach(i -> replies.add(append(event(i))));

        gate.countDown();
        for (CompletableFuture<CommitOutcome> reply : replies) {
            assertInstanceOf(Committed.class, await(reply));
        }

        assertEquals(List.of(1, 4, 3), log.appendSizes());
    }

    @Test
    void append_moreEventsThanAGroup_isOneGroupOfItsOwn() throws Exception {
        Event[] many = IntStream.range(0, 7).mapToObj(GroupCommitTest::event).toArray(Event[]::new);

        assertInstanceOf(Committed.class, await(append(many)));

        assertEquals(List.of(7), log.appendSizes());
    }

    @Test
    void append_queueFull_isRefusedAtOnceAndRoomComesBack() throws Exception {
        hangAppends();
        CompletableFuture<CommitOutcome> inFlight = append(event(0));
        awaitUninterruptibly(entered);
        List<CompletableFuture<CommitOutcome>> waiting =
                IntStream.rangeClosed(1, 8).mapToObj(i -> append(event(i))).toList();

        assertEquals(new Refused(Reason.QUEUE_FULL), append(event(9)).getNow(null));
        assertEquals(8, commit.queuedEvents());

        gate.countDown();
        await(inFlight);
        for (CompletableFuture<CommitOutcome> reply : waiting) {
            assertInstanceOf(Committed.class, await(reply));
        }
        assertInstanceOf(Committed.class, await(append(event(9))));
    }

    @Test
    void append_queueFullOfBytes_isRefused() throws Exception {
        commit.close();
        long bytes = event(0).envelope().payload().length;
        commit = new GroupCommit(log, tail, limits(100, 2 * bytes, 10)).start();
        hangAppends();
        append(event(0));
        awaitUninterruptibly(entered);
        append(event(1));
        append(event(2));

        assertEquals(new Refused(Reason.QUEUE_FULL), append(event(3)).getNow(null));
    }

    @Test
    void expire_storageHangs_answersAllAndRefusesNewcomersUntilItIsBack() throws Exception {
        hangAppends();
        CompletableFuture<CommitOutcome> inFlight = append(event(0));
        awaitUninterruptibly(entered);
        CompletableFuture<CommitOutcome> waiting = append(event(1));
        commit.expire();
        assertFalse(inFlight.isDone(), "the deadline has not passed");

        await(inFlight, commit::expire);
        await(waiting, commit::expire);

        assertEquals(new Refused(Reason.TIMED_OUT), inFlight.get());
        assertEquals(new Refused(Reason.TIMED_OUT), waiting.get());
        assertEquals(new Refused(Reason.UNAVAILABLE), append(event(2)).getNow(null));
        assertFalse(commit.available());

        gate.countDown();
        awaitAvailable();
        assertInstanceOf(Committed.class, await(append(event(3))));
        // What was on its way is stored all the same; what had only been queued was given up.
        assertEquals(2, log.memory.state().head());
    }

    private static void await(CompletableFuture<CommitOutcome> reply, Runnable meanwhile) throws Exception {
        for (int i = 0; i < 1_000; i++) {
            meanwhile.run();
            try {
                reply.get(10, TimeUnit.MILLISECONDS);
                return;
            } catch (TimeoutException e) {
                // Not yet.
            }
        }
        throw new AssertionError("no answer");
    }

    private void awaitAvailable() throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        for (int i = 0; i < 1_000 && !commit.available(); i++) {
            assertFalse(never.await(10, TimeUnit.MILLISECONDS));
        }
        assertTrue(commit.available());
    }

    @Test
    void append_storageAway_isRefusedAndGoesOnByItselfWhenItIsBack() throws Exception {
        LogUnavailableException away = new LogUnavailableException("away", null);
        log.beforeAppend(events -> {
            throw away;
        });

        assertEquals(new Refused(Reason.UNAVAILABLE), await(append(event(0))));
        assertEquals(new Refused(Reason.UNAVAILABLE), append(event(1)).getNow(null));

        log.beforeAppend(events -> {});
        awaitAvailable();
        assertInstanceOf(Committed.class, await(append(event(2))));
    }

    @Test
    void available_logCanBeReadButNotWritten_staysFalse() throws Exception {
        CountDownLatch probes = new CountDownLatch(3);
        log.beforeAppend(events -> {
            if (events.isEmpty()) {
                probes.countDown();
            }
            throw new LogUnavailableException("read-only", null);
        });
        assertEquals(new Refused(Reason.UNAVAILABLE), await(append(event(0))));

        assertTrue(probes.await(10, TimeUnit.SECONDS));

        assertFalse(commit.available());
        assertEquals(new Refused(Reason.UNAVAILABLE), append(event(1)).getNow(null));
        log.beforeAppend(events -> {});
        awaitAvailable();
    }

    @Test
    void append_connectionDiedWhileIdle_isTriedAgain() throws Exception {
        AtomicInteger tries = new AtomicInteger();
        log.beforeAppend(events -> {
            if (tries.incrementAndGet() == 1) {
                throw new LogUnavailableException("stale connection", null);
            }
        });

        assertInstanceOf(Committed.class, await(append(event(0))));
        assertTrue(commit.available());
    }

    @Test
    void append_oneOfAGroupCannotBeStored_theOthersAre() throws Exception {
        log.beforeAppend(events -> {
            entered.countDown();
            awaitUninterruptibly(gate);
            if (events.stream().anyMatch(event -> event == POISON)) {
                throw new IllegalStateException("cannot be stored");
            }
        });
        CompletableFuture<CommitOutcome> first = append(event(0));
        awaitUninterruptibly(entered);
        CompletableFuture<CommitOutcome> before = append(event(1));
        CompletableFuture<CommitOutcome> poison = append(POISON);
        CompletableFuture<CommitOutcome> after = append(event(2));

        gate.countDown();

        assertInstanceOf(Committed.class, await(first));
        assertInstanceOf(Committed.class, await(before));
        assertEquals(new Refused(Reason.FAILED), await(poison));
        assertInstanceOf(Committed.class, await(after));
        assertTrue(commit.available());
    }

    private static final Event POISON = message("c", "poison", "content");

    @Test
    void reply_ofAGroup_isOneTaskForEachExecutor() throws Exception {
        hangAppends();
        append(event(0));
        awaitUninterruptibly(entered);
        BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        Executor shared = tasks::add;
        List<CommitOutcome> outcomes = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            commit.append(List.of(event(i)), shared, outcomes::add);
        }

        gate.countDown();
        Runnable task = tasks.poll(10, TimeUnit.SECONDS);
        assertEquals(List.of(), outcomes, "nothing is replied on the writer's thread");
        task.run();

        assertEquals(3, outcomes.size());
        assertEquals(0, tasks.size());
    }

    @Test
    void reply_thatThrows_doesNotKeepTheOthersFromTheirs() throws Exception {
        hangAppends();
        append(event(0));
        awaitUninterruptibly(entered);
        commit.append(List.of(event(1)), HERE, outcome -> {
            throw new IllegalStateException("a defect of the caller");
        });
        CompletableFuture<CommitOutcome> other = append(event(2));

        gate.countDown();

        assertInstanceOf(Committed.class, await(other));
        assertInstanceOf(Committed.class, await(append(event(3))));
    }

    @Test
    void reply_executorHasEnded_doesNotKeepTheOthersFromTheirs() throws Exception {
        Executor ended = task -> {
            throw new RejectedExecutionException("for the test");
        };
        hangAppends();
        append(event(0));
        awaitUninterruptibly(entered);
        commit.append(List.of(event(1)), ended, outcome -> {});
        CompletableFuture<CommitOutcome> other = append(event(2));

        gate.countDown();

        assertInstanceOf(Committed.class, await(other));
        assertInstanceOf(Committed.class, await(append(event(3))));
    }

    @Test
    void close_queueNotEmpty_commitsItAndRefusesNewcomers() throws Exception {
        hangAppends();
        CompletableFuture<CommitOutcome> inFlight = append(event(0));
        awaitUninterruptibly(entered);
        CompletableFuture<CommitOutcome> waiting = append(event(1));
        CompletableFuture<Void> closing = CompletableFuture.runAsync(commit::close);
        gate.countDown();
        closing.get(10, TimeUnit.SECONDS);

        assertInstanceOf(Committed.class, inFlight.getNow(null));
        assertInstanceOf(Committed.class, waiting.getNow(null));
        assertEquals(new Refused(Reason.CLOSED), append(event(3)).getNow(null));
    }

    @Test
    void limits_queueSmallerThanAGroup_areRefused() {
        assertThrows(IllegalArgumentException.class, () -> limits(3, 1, 4));
    }
}
