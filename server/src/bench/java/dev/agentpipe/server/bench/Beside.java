package dev.agentpipe.server.bench;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/** Something that goes on beside what is measured, on the thread {@code bench-beside}. */
final class Beside<T> {

    private final FutureTask<T> task;
    private final Thread thread;

    private Beside(Callable<T> work) {
        task = new FutureTask<>(work);
        thread = new Thread(task, "bench-beside");
        thread.setDaemon(true);
        thread.start();
    }

    static <T> Beside<T> start(Callable<T> work) {
        return new Beside<>(work);
    }

    /** Waits until it has ended by itself. */
    T await() throws InterruptedException, ExecutionException {
        return task.get();
    }

    /** Ends it early, with what it has done until then. */
    T stop() throws InterruptedException, ExecutionException {
        thread.interrupt();
        return task.get();
    }
}
