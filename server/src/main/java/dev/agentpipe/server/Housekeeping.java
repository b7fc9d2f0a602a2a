package dev.agentpipe.server;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens by the clock. One thread, {@code housekeeping}, that never blocks, since deadlines hang on it; work that may
 * block has threads of its own, {@code housekeeping-slow}, one for each task at the most, since a task is not begun again
 * while it runs. Not those of the HTTP server: the state of the database must be known while these are all taken.
 */
final class Housekeeping implements AutoCloseable {

    private static final Duration END = Duration.ofSeconds(1);

    private static final Logger log = LoggerFactory.getLogger(Housekeeping.class);

    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "housekeeping"));
    private final ExecutorService slow = Executors.newCachedThreadPool(task -> new Thread(task, "housekeeping-slow"));

    /** Once, as soon as the clock's thread comes to it. */
    void soon(Runnable task) {
        clock.execute(task);
    }

    void every(Duration interval, Runnable task) {
        every(interval, interval, task);
    }

    private void every(Duration first, Duration interval, Runnable task) {
        clock.scheduleWithFixedDelay(() -> run(task), first.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    void blockingEvery(Duration interval, Runnable task) {
        blockingEvery(interval, interval, task);
    }

    /** @param first how long after the start */
    void blockingEvery(Duration first, Duration interval, Runnable task) {
        AtomicBoolean running = new AtomicBoolean();
        every(first, interval, () -> {
            if (running.compareAndSet(false, true)) {
                slow.execute(() -> {
                    run(task);
                    running.set(false);
                });
            }
        });
    }

    /** A scheduler forgets a task that throws. */
    private void run(Runnable task) {
        try {
            task.run();
        } catch (RejectedExecutionException e) {
            // Closing.
        } catch (RuntimeException e) {
            if (!clock.isShutdown()) { // else it was interrupted, or the database is closed already
                log.warn("A housekeeping task failed; it will be tried again", e);
            }
        }
    }

    /** Waits a moment for what is under way: it needs what is closed next. */
    @Override
    public void close() {
        clock.shutdownNow();
        slow.shutdownNow();
        try {
            slow.awaitTermination(END.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
