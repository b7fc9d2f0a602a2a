package dev.agentpipe.server.http;

import dev.agentpipe.core.log.LogUnavailableException;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The threads that may wait for the database on behalf of those who read. Fewer than there are connections, so that slow
 * reads leave some to the streams; ingest has its own. Bounded: what does not fit is refused. Thread-safe.
 */
public final class Reads implements AutoCloseable {

    private static final int QUEUED_MAX = 512;
    private static final long IDLE_SECONDS = 30;

    /** What has waited for longer has no use for its answer any more. */
    private static final long WAIT_NANOS_MAX = 10_000_000_000L;

    private final ThreadPoolExecutor threads;

    public Reads(int threadsMax) {
        AtomicInteger number = new AtomicInteger();
        threads = new ThreadPoolExecutor(
                threadsMax,
                threadsMax,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(QUEUED_MAX),
                task -> new Thread(task, "read-" + number.incrementAndGet()));
        threads.allowCoreThreadTimeOut(true);
    }

    /**
     * Takes the exchange over and returns at once; the answer is given later, on the I/O thread. What the work throws is
     * answered: {@link BadRequest} with 400, {@link LogUnavailableException} with 503, a defect with 500.
     *
     * @param work may block; returns what then answers
     */
    public void answer(HttpServerExchange exchange, Supplier<Runnable> work) {
        long since = System.nanoTime();
        Runnable task = RequestScope.step(exchange, () -> {
            Runnable reply = System.nanoTime() - since > WAIT_NANOS_MAX ? tooMany(exchange) : reply(exchange, work);
            exchange.getIoThread().execute(RequestScope.step(exchange, reply));
        });
        exchange.dispatch(SameThreadExecutor.INSTANCE, RequestScope.step(exchange, () -> {
            try {
                threads.execute(task);
            } catch (RejectedExecutionException e) {
                tooMany(exchange).run();
            }
        }));
    }

    /**
     * For the next piece of an answer that has begun. What the work throws ends the connection.
     *
     * @param work may block; returns what then happens on the I/O thread
     * @return false if there is no room for it now; nothing happens then
     */
    public boolean next(HttpServerExchange exchange, Supplier<Runnable> work) {
        try {
            threads.execute(RequestScope.step(exchange, () -> {
                Runnable then = work.get();
                exchange.getIoThread().execute(RequestScope.step(exchange, then));
            }));
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    /** Requests that wait for a thread. */
    public int waiting() {
        return threads.getQueue().size();
    }

    private static Runnable reply(HttpServerExchange exchange, Supplier<Runnable> work) {
        try {
            return work.get();
        } catch (BadRequest e) {
            return () -> Replies.problem(exchange, Problem.INVALID_PARAMETER, null, e.violations());
        } catch (LogUnavailableException e) {
            return () -> Replies.problem(exchange, Problem.DATABASE_UNAVAILABLE, null);
        }
    }

    private static Runnable tooMany(HttpServerExchange exchange) {
        return () -> Replies.problem(exchange, Problem.TOO_MANY_READS, null);
    }

    /** Drops what has not begun; what has, ends with its connection to the database. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
