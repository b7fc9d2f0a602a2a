package dev.agentpipe.server.loadtest;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/**
 * Watches the load generator during one step: its processor time, its busiest thread, and how long tasks wait for its
 * threads. Begun and ended by one thread.
 */
final class ClientWatch {

    private static final long PROBE_MILLIS = 20;

    private final OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final Recorder lag = new Recorder(3);
    private final Map<Long, Long> threadNanos = new HashMap<>();
    private final long processNanos = system.getProcessCpuTime();
    private final long started = System.nanoTime();
    private final ScheduledFuture<?> probe;

    /** @param workers where answers and streams are handled */
    ClientWatch(ScheduledExecutorService timer, Executor workers) {
        for (long id : threads.getAllThreadIds()) {
            threadNanos.put(id, threads.getThreadCpuTime(id));
        }
        system.getCpuLoad(); // counts from the last time it was asked
        probe = timer.scheduleAtFixedRate(() -> probe(workers), 0, PROBE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Something had to be done at a time and was done so much later. */
    void late(long nanos) {
        lag.recordValue(Math.max(0, nanos));
    }

    ClientLoad end() {
        probe.cancel(false);
        double nanos = System.nanoTime() - started;
        double cpus = system.getAvailableProcessors();
        long busiest = 0;
        for (long id : threads.getAllThreadIds()) {
            busiest = Math.max(busiest, threads.getThreadCpuTime(id) - threadNanos.getOrDefault(id, 0L));
        }
        Histogram late = lag.getIntervalHistogram();
        return new ClientLoad(
                (system.getProcessCpuTime() - processNanos) / (nanos * cpus),
                Math.max(0, system.getCpuLoad()),
                busiest / nanos,
                Percentiles.ofNanos(late).p99());
    }

    private void probe(Executor workers) {
        long asked = System.nanoTime();
        workers.execute(() -> late(System.nanoTime() - asked));
    }
}
