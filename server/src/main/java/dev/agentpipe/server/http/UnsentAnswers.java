package dev.agentpipe.server.http;

import io.undertow.server.HttpServerExchange;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

/**
 * Sends answers, and keeps an eye on those that their clients do not take at once: each must go on, and together they have
 * a bound. Beyond it the oldest ones are given up, since who reads as fast as others is never among them for long.
 *
 * <p>Thread-safe; each answer is sent on its connection's I/O thread.
 */
final class UnsentAnswers {

    /** So much must be taken each time: about half of what a socket's buffer holds. */
    private static final int STEP_BYTES = 64 << 10;

    private static final Duration STALL_MAX = Duration.ofSeconds(10);
    private static final long BYTES_MAX = 128L << 20;
    private static final int HEAP_PARTS = 8;

    private final long bytesMax;
    private final Duration stallMax;

    /** In the order in which they began. Guarded by this, as the bytes. */
    private final Set<Unsent> all = new LinkedHashSet<>();

    private long bytes;

    UnsentAnswers() {
        this(Math.min(BYTES_MAX, Runtime.getRuntime().maxMemory() / HEAP_PARTS), STALL_MAX);
    }

    UnsentAnswers(long bytesMax, Duration stallMax) {
        this.bytesMax = bytesMax;
        this.stallMax = stallMax;
    }

    /** Of all answers under way. */
    synchronized long bytes() {
        return bytes;
    }

    void send(HttpServerExchange exchange, byte[] body) {
        ByteBuffer rest = ByteBuffer.wrap(body);
        exchange.getResponseSender().send(rest);
        if (!exchange.isResponseComplete()) {
            begin(new Unsent(exchange, rest));
        }
    }

    private void begin(Unsent unsent) {
        unsent.exchange.addExchangeCompleteListener((completed, others) -> {
            end(unsent);
            others.proceed();
        });
        unsent.awaitClient();
        tooMany(unsent).forEach(Unsent::giveUp);
    }

    private synchronized List<Unsent> tooMany(Unsent newest) {
        all.add(newest);
        bytes += newest.size();
        List<Unsent> tooMany = new ArrayList<>();
        long left = bytes;
        for (Unsent one : all) {
            if (left <= bytesMax) {
                break;
            }
            left -= one.size();
            tooMany.add(one);
        }
        return tooMany;
    }

    private void end(Unsent unsent) {
        unsent.timer.remove();
        synchronized (this) {
            if (all.remove(unsent)) {
                bytes -= unsent.size();
            }
        }
    }

    /** Confined to its I/O thread, but for its size. */
    private final class Unsent {
        private final HttpServerExchange exchange;
        private final ByteBuffer rest;
        private int before;
        private XnioExecutor.Key timer;

        Unsent(HttpServerExchange exchange, ByteBuffer rest) {
            this.exchange = exchange;
            this.rest = rest;
        }

        int size() {
            return rest.capacity();
        }

        void awaitClient() {
            before = rest.remaining();
            timer = exchange.getIoThread().executeAfter(this::check, stallMax.toMillis(), TimeUnit.MILLISECONDS);
        }

        private void check() {
            if (before - rest.remaining() < STEP_BYTES) {
                IoUtils.safeClose(exchange.getConnection());
            } else {
                awaitClient();
            }
        }

        void giveUp() {
            exchange.getIoThread().execute(() -> {
                if (!exchange.isResponseComplete()) {
                    IoUtils.safeClose(exchange.getConnection());
                }
            });
        }
    }
}
