package dev.agentpipe.server.loadtest;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Posts the events of a step, each when it is due. One that finds no connection free waits for one, and the ones behind it
 * with it; the ledger counts from when they were due. Used by one thread.
 */
final class Sender {

    /** As many connections; a server that answers in 100 ms gets 5,000 events a second through them. */
    private static final int UNDER_WAY_MAX = 512;

    private static final String UNSENT = "not sent, " + UNDER_WAY_MAX + " requests were without answer";
    private static final long PARK_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long POLL_MILLIS = 10;
    private static final Duration STOPPING_MAX = Duration.ofSeconds(1);

    private final BenchClient client;
    private final Conversations conversations;
    private final BooleanSupplier stopped;
    private final Semaphore connections = new Semaphore(UNDER_WAY_MAX);

    Sender(BenchClient client, Conversations conversations, BooleanSupplier stopped) {
        this.client = client;
        this.conversations = conversations;
        this.stopped = stopped;
    }

    /** Returns when the last event is sent, when the step's time is over, or soon after the run was stopped. */
    void send(Ledger ledger, ClientWatch watch) throws InterruptedException {
        for (int index = 0; index < ledger.count(); index++) {
            boolean hasWaited = awaitDue(ledger, index);
            boolean isFree = connections.tryAcquire();
            while (!isFree && !stopped.getAsBoolean() && System.nanoTime() < ledger.end()) {
                isFree = connections.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS);
            }
            boolean isStopped = stopped.getAsBoolean();
            if (isStopped) {
                ledger.cut(Math.min(System.nanoTime(), ledger.due(index)));
            }
            if (isStopped || !isFree) {
                connections.release(isFree ? 1 : 0);
                giveUp(ledger, index);
                return;
            }
            post(ledger, index);
            if (hasWaited) {
                watch.late(System.nanoTime() - ledger.due(index));
            }
        }
    }

    /** Waits for the answers to what was sent; gives up when none can come any more, or when the run is stopped, soon. */
    void awaitAnswers() throws InterruptedException {
        long since = System.nanoTime();
        while (!connections.tryAcquire(UNDER_WAY_MAX, POLL_MILLIS, TimeUnit.MILLISECONDS)) {
            Duration most = stopped.getAsBoolean() ? STOPPING_MAX : BenchClient.ANSWER_MAX.plus(STOPPING_MAX);
            if (System.nanoTime() - since > most.toNanos()) {
                return;
            }
        }
        connections.release(UNDER_WAY_MAX);
    }

    /** Whether there was anything to wait for. */
    private boolean awaitDue(Ledger ledger, int index) {
        boolean hasWaited = false;
        long left = ledger.due(index) - System.nanoTime();
        while (left > 0 && !stopped.getAsBoolean()) {
            hasWaited = true;
            LockSupport.parkNanos(Math.min(left, PARK_NANOS_MAX));
            left = ledger.due(index) - System.nanoTime();
        }
        return hasWaited;
    }

    /** Those that were due and found no connection; what a cut has taken out is not looked at. */
    private static void giveUp(Ledger ledger, int firstUnsent) {
        long now = System.nanoTime();
        for (int index = firstUnsent; index < ledger.count() && ledger.due(index) < ledger.end(); index++) {
            ledger.refused(index, UNSENT, now);
        }
    }

    private void post(Ledger ledger, int index) {
        byte[] event = conversations.message(index % conversations.count(), ledger.step(), index);
        client.post(event).whenComplete((response, error) -> {
            long now = System.nanoTime();
            if (error == null && BenchClient.isStored(response.statusCode())) {
                ledger.stored(index, now);
            } else {
                ledger.refused(index, BenchClient.failure(response, error), now);
            }
            connections.release(); // last: who has all connections has all answers
        });
    }
}
