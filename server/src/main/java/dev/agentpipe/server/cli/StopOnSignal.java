package dev.agentpipe.server.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Has a command stop when its process is told to end (Ctrl-C, SIGTERM), and lets it tell how far it came. */
final class StopOnSignal {

    private final CountDownLatch isTold = new CountDownLatch(1);
    private final Thread hook;

    /**
     * @param stop called on the JVM's shutdown thread
     * @param patience at most so long the process waits for what the command has to tell
     */
    StopOnSignal(String threadName, Runnable stop, Duration patience) {
        hook = new Thread(
                () -> {
                    stop.run();
                    awaitTold(patience);
                },
                threadName);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void awaitTold(Duration patience) {
        try {
            isTold.await(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The command has told everything. */
    void told() {
        isTold.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException isRunning) {
            // It was the signal that ended the command.
        }
    }
}
