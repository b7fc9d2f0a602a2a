package dev.agentpipe.server.transfer;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Whether the person has had enough, and waiting that ends when they have. Thread-safe. */
public class Stop {

    private final CountDownLatch requested = new CountDownLatch(1);
    private final CompletableFuture<Void> future = new CompletableFuture<>();

    public void request() {
        requested.countDown();
        future.complete(null);
    }

    public boolean isRequested() {
        return requested.getCount() == 0;
    }

    /** Completes when it is requested. */
    CompletableFuture<Void> future() {
        return future;
    }

    /** Returns whether the stop was requested meanwhile. */
    boolean pause(Duration duration) throws InterruptedException {
        return requested.await(duration.toNanos(), TimeUnit.NANOSECONDS);
    }
}
