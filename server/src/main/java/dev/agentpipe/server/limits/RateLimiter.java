package dev.agentpipe.server.limits;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides, alone or with the other nodes.
 *
 * <p>This node's own tallies are asked first, in any case: what does not fit there does not fit in the shared ones, which have
 * all that these have; and they are up to date when the shared ones go away. Then, if there are others, thread {@code
 * rate-limits} asks the shared tallies, for all that wait for it in one round trip. While those do not answer, what this
 * node's own say counts.
 *
 * <p>Thread-safe.
 */
final class RateLimiter implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RateLimiter.class);

    private static final int WAITING_MAX = 4_096;

    /** In a round trip, so that nobody else waits long for the others' tallies. */
    private static final int TAKES_MAX = 1_024;

    private static final long STOP_MILLIS = 1_000;
    private static final int NANOS = 1_000;

    private final Tallies own;
    private final SharedTallies shared;
    private final LimitCounts counts;
    private final BlockingQueue<Waiting> queue = new ArrayBlockingQueue<>(WAITING_MAX);
    private final Thread thread;

    /** @param then null if nobody waits for it */
    private record Waiting(List<Charge> charges, Decision own, Executor on, Consumer<Decision> then) {

        List<SharedTallies.Take> takes() {
            int sign = then == null ? -1 : 1;
            return charges.stream()
                    .map(charge -> new SharedTallies.Take(
                            charge.tally(),
                            sign * charge.costNanos() / NANOS,
                            (charge.quota().windowNanos() + Quota.HELD_NANOS_MAX) / NANOS))
                    .toList();
        }

        void decide(Decision decision) {
            if (then != null) {
                try {
                    on.execute(() -> then.accept(decision));
                } catch (RejectedExecutionException e) {
                    // The server has stopped meanwhile, and the connection is gone.
                }
            }
        }
    }

    /** @param shared empty for a node that shares none */
    RateLimiter(Tallies own, Optional<SharedTallies> shared, LimitCounts counts) {
        this.own = own;
        this.shared = shared.orElse(null);
        this.counts = counts;
        this.thread = shared.map(some -> new Thread(this::ask, "rate-limits")).orElse(null);
        if (thread != null) {
            thread.setDaemon(true);
            thread.start();
        }
    }

    /** Whether {@link #take} decides before it returns. */
    boolean isAlone() {
        return shared == null;
    }

    /**
     * Takes all charges of a request, or none. Never blocks.
     *
     * @param then gets the decision: at once, or on {@code on}
     */
    void take(List<Charge> charges, Executor on, Consumer<Decision> then) {
        Decision decision = own.take(charges);
        if (shared == null || decision.isRefused()) {
            then.accept(decision);
        } else if (!shared.isThere() || !queue.offer(new Waiting(charges, decision, on, then))) {
            counts.alone.increment();
            then.accept(decision);
        }
    }

    /** What was taken, and not used. Never blocks. */
    void giveBack(List<Charge> charges) {
        own.giveBack(charges);
        if (shared != null && shared.isThere()) {
            queue.offer(new Waiting(charges, null, null, null));
        }
    }

    private void ask() {
        try {
            while (true) {
                ask(next());
            }
        } catch (InterruptedException e) {
            // Closing.
        }
    }

    private List<Waiting> next() throws InterruptedException {
        List<Waiting> some = new ArrayList<>();
        int takes = 0;
        for (Waiting one = queue.take(); one != null; one = takes < TAKES_MAX ? queue.poll() : null) {
            some.add(one);
            takes += one.charges.size();
        }
        return some;
    }

    private void ask(List<Waiting> some) {
        Optional<List<Long>> answers = Optional.empty();
        try {
            answers = shared.take(some.stream().map(Waiting::takes).toList());
        } catch (RuntimeException e) {
            log.error("The shared tallies cannot be asked", e);
        }
        int at = 0;
        for (Waiting one : some) {
            if (answers.isPresent()) {
                one.decide(decision(one, answers.get(), at));
            } else {
                counts.alone.increment();
                one.decide(one.own);
            }
            at += one.charges.size();
        }
    }

    private Decision decision(Waiting one, List<Long> answers, int at) {
        if (one.then == null) {
            return null;
        }
        long[] filled = new long[one.charges.size()];
        for (int i = 0; i < filled.length; i++) {
            long micros = answers.get(at + i);
            filled[i] = micros < 0 ? ~(~micros * NANOS) : micros * NANOS;
        }
        Decision decision = Decision.of(one.charges, filled);
        if (decision.isRefused()) {
            own.giveBack(one.charges);
        }
        return decision;
    }

    /** Those that wait go on with what this node's own tallies said. */
    @Override
    public void close() {
        if (thread == null) {
            return;
        }
        thread.interrupt();
        try {
            thread.join(STOP_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (Waiting one = queue.poll(); one != null; one = queue.poll()) {
            one.decide(one.own);
        }
    }
}
