package dev.agentpipe.server.limits;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * What this node has let through.
 *
 * <p>The algorithm is GCRA, a leaking bucket written as one number: the moment at which the tally will be empty again. A charge
 * moves that moment on by its cost, and fits if it is then no further away than the window. So there are no windows with edges
 * at which twice as much fits: after a burst of the whole quota the next fits when one has leaked out. A charge that is up to
 * {@link Quota#HELD_NANOS_MAX} too early is let in as well, and has its turn when that time is over; its place is taken
 * at once, so those that wait do not have to ask again, and go on in their order.
 *
 * <p>Thread-safe.
 */
final class Tallies {

    private static final int TALLIES_MAX = 50_000;

    private final LongSupplier nanoTime;
    private final Cache<String, AtomicLong> emptyAt;

    /** @param windowNanosMax of all quotas: a tally that was not touched for so long is as good as new */
    Tallies(long windowNanosMax, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.emptyAt = Caffeine.newBuilder()
                .maximumSize(TALLIES_MAX)
                .expireAfterAccess(windowNanosMax + Quota.HELD_NANOS_MAX, TimeUnit.NANOSECONDS)
                .ticker(nanoTime::getAsLong)
                .executor(Runnable::run)
                .build();
    }

    /** All or nothing. */
    Decision take(List<Charge> charges) {
        long now = nanoTime.getAsLong();
        long[] filled = new long[charges.size()];
        for (int i = 0; i < filled.length; i++) {
            filled[i] = take(charges.get(i), now);
            if (filled[i] < 0) {
                giveBack(charges.subList(0, i));
                return Decision.of(List.of(charges.get(i)), new long[] {filled[i]});
            }
        }
        return Decision.of(charges, filled);
    }

    private long take(Charge charge, long now) {
        AtomicLong tally = emptyAt.get(charge.tally(), unknown -> new AtomicLong(now));
        long most = charge.quota().windowNanos() + Quota.HELD_NANOS_MAX;
        while (true) {
            long before = tally.get();
            long filled = Math.max(0, before - now);
            if (filled + charge.costNanos() > most) {
                return ~filled;
            }
            if (tally.compareAndSet(before, now + filled + charge.costNanos())) {
                return filled + charge.costNanos();
            }
        }
    }

    /** What was taken, and not used. */
    void giveBack(List<Charge> charges) {
        for (Charge charge : charges) {
            AtomicLong tally = emptyAt.getIfPresent(charge.tally());
            if (tally != null) {
                tally.addAndGet(-charge.costNanos());
            }
        }
    }

    /** How many are remembered. */
    long size() {
        emptyAt.cleanUp();
        return emptyAt.estimatedSize();
    }
}
