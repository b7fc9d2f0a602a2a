package dev.agentpipe.server.cli;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes the server when the process is told to end, and ends it with 0. Without the halt the JVM would report the signal
 * (143 for SIGTERM), which supervisors take for a crash. Runs on the JVM's shutdown thread.
 *
 * <p>It is installed before the start: a server that is told to end while it starts is closed as soon as it has started,
 * so that the built-in PostgreSQL is stopped in order, too.
 */
final class Shutdown {

    /** Under the 15 s that are promised; closing has deadlines of its own, this one is for when they do not hold. */
    private static final Duration DEADLINE = Duration.ofSeconds(14);

    private static final Logger log = LoggerFactory.getLogger(Shutdown.class);

    private final CompletableFuture<AutoCloseable> server = new CompletableFuture<>();
    private final Duration deadline;
    private final IntConsumer halt;

    /** @param last called before the process ends, whatever came of the rest; quick */
    Shutdown(Runnable last) {
        this(DEADLINE, status -> {
            last.run();
            Runtime.getRuntime().halt(status);
        });
    }

    Shutdown(Duration deadline, IntConsumer halt) {
        this.deadline = deadline;
        this.halt = halt;
    }

    void install() {
        Runtime.getRuntime().addShutdownHook(new Thread(this::run, "shutdown"));
    }

    /** To be closed at the end. */
    void started(AutoCloseable started) {
        server.complete(started);
    }

    /** There will be nothing to close; the process ends with a failure. */
    void notStarted() {
        server.cancel(false);
    }

    void run() {
        CountDownLatch closed = new CountDownLatch(1);
        Thread guard = new Thread(() -> haltWhenLate(closed), "shutdown-deadline");
        guard.setDaemon(true);
        guard.start();
        int status = close();
        closed.countDown();
        halt.accept(status);
    }

    private int close() {
        try {
            AutoCloseable started = server.get();
            long begin = System.nanoTime();
            log.info("Stopping");
            started.close();
            log.info("Stopped in {} ms", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
            return Commands.OK;
        } catch (CancellationException notStarted) {
            return Commands.FAILED;
        } catch (Exception e) {
            log.error("The server could not be closed in order", e);
            return Commands.FAILED;
        }
    }

    private void haltWhenLate(CountDownLatch closed) {
        try {
            if (!closed.await(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                log.error("The server did not close within {} s; the process ends without it", deadline.toSeconds());
                halt.accept(Commands.FAILED);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
