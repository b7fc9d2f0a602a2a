package dev.agentpipe.server;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens by the clock. One thread, {@code housekeeping}, that never blocks, since deadlines hang on it; work that may
 * block is handed to the workers, and is not begun again while it runs.
 */
final class Housekeeping implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Housekeeping.class);

    private final Executor workers;
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "housekeeping"));

    Housekeeping(Executor workers) {
        this.workers = workers;
    }

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
    }
}
