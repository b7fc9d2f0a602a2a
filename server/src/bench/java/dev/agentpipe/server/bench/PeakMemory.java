package dev.agentpipe.server.bench;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/** Looks at a server's resident memory ten times a second, on the thread {@code bench-memory}. */
final class PeakMemory implements AutoCloseable {

    private static final int INTERVAL_MILLIS = 100;

    private final AtomicLong peakKilobytes = new AtomicLong();
    private final Thread thread;

    PeakMemory(ServerProcess server) {
        thread = new Thread(() -> watch(server), "bench-memory");
        thread.setDaemon(true);
        thread.start();
    }

    private void watch(ServerProcess server) {
        try {
            while (!Thread.interrupted()) {
                peakKilobytes.accumulateAndGet(server.residentKilobytes(), Math::max);
                Thread.sleep(INTERVAL_MILLIS);
            }
        } catch (IOException | InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    long kilobytes() {
        return peakKilobytes.get();
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
