package dev.agentpipe.server.http;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.agentpipe.server.audit.Audit;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.SameThreadExecutor;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses those who bring no valid key. The answers to an address that tries again and again take longer and longer, on a
 * timer of its connection's I/O thread, so nobody waits in a thread and nobody else waits at all; a valid key is never
 * looked at here, so it is never refused, whatever its neighbours do. What was refused is counted by address, and told at
 * most once a minute for each.
 *
 * <p>A limit to what is tried in parallel is not its business: a key has 192 random bits or more. Thread-safe.
 */
public final class Failures {

    private static final int ADDRESSES_MAX = 10_000;
    private static final Duration FORGOTTEN_AFTER = Duration.ofMinutes(10);

    /** So many wrong keys of an address are answered at once: somebody pastes the wrong one, and tries another. */
    static final int FREE = 5;

    private static final Duration DELAY_MIN = Duration.ofMillis(50);

    /** Well below the 10 s after which the AgentPipe CLI gives up; a CLI with a wrong key waits for some answers. */
    private static final Duration DELAY_MAX = Duration.ofSeconds(2);

    /** Answers that wait hold their connections; any more are given at once, and their connections closed. */
    private static final int DELAYED_MAX = 256;

    private static final int TOLD_ADDRESSES_MAX = 100;
    private static final int TOLD_KEYS_MAX = 10;

    private static final Logger log = LoggerFactory.getLogger(Failures.class);

    /** For how long the answer to a counted request waits. */
    private static final AttachmentKey<Duration> DELAY = AttachmentKey.create(Duration.class);

    private final Audit audit;
    private final Cache<String, Tally> addresses;
    private final AtomicInteger delayed = new AtomicInteger();
    private final LongAdder notTold = new LongAdder();

    /** Of one address. Guarded by itself. */
    private static final class Tally {
        /** Wrong keys, until the address is forgotten. */
        private int wrong;

        private int untold;
        private final Map<String, Integer> reasons = new TreeMap<>();
        private final Set<String> keys = new LinkedHashSet<>();
        private String requestId;
    }

    /** @param nanoTime the clock by which an address is forgotten */
    public Failures(Audit audit, LongSupplier nanoTime) {
        this.audit = audit;
        this.addresses = Caffeine.newBuilder()
                .maximumSize(ADDRESSES_MAX)
                .expireAfterAccess(FORGOTTEN_AFTER)
                .ticker(nanoTime::getAsLong)
                .executor(Runnable::run)
                .<String, Tally>removalListener((address, tally, cause) -> {
                    if (tally != null) {
                        notTold.add(untold(tally));
                    }
                })
                .build();
    }

    private static int untold(Tally tally) {
        synchronized (tally) {
            return tally.untold;
        }
    }

    /** Answers 401, now or later. */
    void refuse(HttpServerExchange exchange, Callers.Known.Bad bad) {
        if (exchange.getAttachment(DELAY) == null) {
            count(exchange, bad);
        }
        Duration delay = exchange.getAttachment(DELAY);
        if (delay.isZero()) {
            answer(exchange);
        } else if (delayed.incrementAndGet() > DELAYED_MAX) {
            delayed.decrementAndGet();
            exchange.setPersistent(false);
            answer(exchange);
        } else {
            exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    () -> exchange.getIoThread()
                            .executeAfter(() -> answerLate(exchange), delay.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    /** Counts what is not, or not yet, refused by this. */
    void count(HttpServerExchange exchange, Callers.Known.Bad bad) {
        exchange.putAttachment(DELAY, count(ClientAddress.of(exchange), bad, RequestId.of(exchange)));
    }

    /** Counts what was refused for another reason. */
    public void count(HttpServerExchange exchange, String why, String keyId) {
        count(exchange, new Callers.Known.Bad(why, keyId));
    }

    private void answerLate(HttpServerExchange exchange) {
        delayed.decrementAndGet();
        if (exchange.getConnection().isOpen()) {
            RequestScope.run(exchange, () -> answer(exchange));
        } else {
            exchange.endExchange();
        }
    }

    private static void answer(HttpServerExchange exchange) {
        Replies.problem(
                exchange, Problem.UNAUTHORIZED, "Send \"Authorization: Bearer <key>\" with a key of this server.");
    }

    /** How long the answer is to wait. */
    Duration count(String address, Callers.Known.Bad bad, String requestId) {
        Tally tally = addresses.get(address, unknown -> new Tally());
        synchronized (tally) {
            tally.untold++;
            tally.reasons.merge(bad.why(), 1, Integer::sum);
            tally.requestId = requestId;
            if (bad.keyId() != null && tally.keys.size() < TOLD_KEYS_MAX) {
                tally.keys.add(bad.keyId());
            }
            if (bad.isMissing()) {
                return Duration.ZERO; // nothing was guessed
            }
            tally.wrong = Math.min(tally.wrong + 1, FREE + Long.SIZE / 2);
            return delay(tally.wrong);
        }
    }

    private static Duration delay(int wrong) {
        if (wrong <= FREE) {
            return Duration.ZERO;
        }
        Duration delay = DELAY_MIN.multipliedBy(1L << (wrong - FREE - 1));
        return delay.compareTo(DELAY_MAX) < 0 ? delay : DELAY_MAX;
    }

    /** How many are remembered. */
    long addresses() {
        return addresses.estimatedSize();
    }

    /** Tells what was refused since the last time. To be called once a minute. */
    public void tell() {
        addresses.cleanUp();
        int told = 0;
        for (Map.Entry<String, Tally> entry : addresses.asMap().entrySet()) {
            if (told < TOLD_ADDRESSES_MAX) {
                told += tell(entry.getKey(), entry.getValue()) ? 1 : 0;
            } else {
                Tally tally = entry.getValue();
                synchronized (tally) {
                    notTold.add(tally.untold);
                    clear(tally);
                }
            }
        }
        long others = notTold.sumThenReset();
        if (others > 0) {
            log.warn("{} more requests without a valid key came from many other addresses", others);
            audit.note("authentication.failed", null, Map.of("count", others));
        }
    }

    private boolean tell(String address, Tally tally) {
        Map<String, Object> details = new LinkedHashMap<>();
        int count;
        int wrong;
        synchronized (tally) {
            count = tally.untold;
            wrong = tally.wrong;
            details.put("address", address);
            details.put("count", count);
            details.put("reasons", new TreeMap<>(tally.reasons));
            details.put("keys", tally.keys.isEmpty() ? null : Set.copyOf(tally.keys));
            details.put("requestId", tally.requestId);
            clear(tally);
        }
        if (count == 0) {
            return false;
        }
        if (wrong > FREE) {
            log.warn("{} requests from {} came without a valid key", count, address);
        }
        audit.note("authentication.failed", null, details);
        return true;
    }

    private static void clear(Tally tally) {
        tally.untold = 0;
        tally.reasons.clear();
        tally.keys.clear();
    }
}
