package dev.agentpipe.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.xnio.XnioWorker;

/**
 * Whether the threads that nothing may block still take tasks: each I/O thread, and the clock. A process where one of them
 * does not is broken for its clients, whatever else works, and does not mend itself.
 *
 * <p>Thread-safe.
 */
final class Pulse {

    private final Map<String, Executor> threads = new LinkedHashMap<>();

    Pulse(XnioWorker worker, Housekeeping housekeeping) {
        threads.put("housekeeping", housekeeping::soon);
        for (int i = 0; i < worker.getIoThreadCount(); i++) {
            Executor thread = worker.getIoThread(i);
            threads.put(worker.getIoThread(i).getName(), thread);
        }
    }

    /** Asks all of them, and returns those that have not answered in time; blocks for so long at the most. */
    List<String> silent(Duration patience) throws InterruptedException {
        Set<String> silent = Collections.synchronizedSet(new TreeSet<>(threads.keySet()));
        CountDownLatch answers = new CountDownLatch(threads.size());
        threads.forEach((name, thread) -> thread.execute(() -> {
            silent.remove(name);
            answers.countDown();
        }));
        answers.await(patience.toNanos(), TimeUnit.NANOSECONDS);
        synchronized (silent) {
            return new ArrayList<>(silent);
        }
    }
}
