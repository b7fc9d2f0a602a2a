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
 * block has threads of its own, one each at the most, and is not begun again while it runs. It does not share those that
 * work for requests: behind 10,000 readers that come back at once, a look at the database would come so late that the
 * server seemed ill.
 */
final class Housekeeping implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Housekeeping.class);

    private final ExecutorService workers =
            Executors.newCachedThreadPool(task -> new Thread(task, "housekeeping-work"));
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "housekeeping"));

    void every(Duration interval, Runnable task) {
        clock.scheduleWithFixedDelay(() -> run(task), interval.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    void blockingEvery(Duration interval, Runnable task) {
        AtomicBoolean running = new AtomicBoolean();
        every(interval, () -> {
            if (running.compareAndSet(false, true)) {
                workers.execute(() -> {
                    run(task);
                    running.set(false);
                });
            }
        });
    }

    /** A scheduler forgets a task that throws. */
    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RejectedExecutionException e) {
            // The workers are stopping, and so will this.
        } catch (RuntimeException e) {
            log.warn("A housekeeping task failed; it will be tried again", e);
        }
    }

    @Override
    public void close() {
        clock.shutdownNow();
        workers.shutdownNow();
    }
}
