package dev.agentpipe.server.bench.load;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Which of a load's events reached how many streams, how late, and when the last of them had it.
 *
 * <p>Confined to the thread of its {@link StreamLoad} until that hands it over.
 */
public final class Deliveries {

    private static final int EVENTS_MAX = 1 << 23;

    private final long startNanos;
    private long firstEvent = -1;
    private int[] counts = new int[1 << 12];
    private long[] sent = new long[1 << 12];
    private long[] last = new long[1 << 12];
    private int events;
    private long total;
    private long firstNanos;
    private long lastNanos;
    private final Histogram delays = new Histogram(TimeUnit.MINUTES.toNanos(10), 3);

    /** @param startNanos events that were sent before are none of its business */
    Deliveries(long startNanos) {
        this.startNanos = startNanos;
    }

    void add(long number, long sentNanos, long now) {
        if (sentNanos < startNanos) {
            return;
        }
        if (firstEvent < 0) {
            firstEvent = number & -(1L << 24) | 1; // where the load's numbers begin, see IngestLoad
        }
        long index = number - firstEvent;
        if (index < 0 || index >= EVENTS_MAX) {
            return; // of another load beside this one
        }
        int event = (int) index;
        if (event >= counts.length) {
            int length = Math.max(event + 1, 2 * counts.length);
            counts = Arrays.copyOf(counts, length);
            sent = Arrays.copyOf(sent, length);
            last = Arrays.copyOf(last, length);
        }
        counts[event]++;
        sent[event] = sentNanos;
        last[event] = now;
        events = Math.max(events, event + 1);
        firstNanos = total == 0 ? now : firstNanos;
        lastNanos = now;
        total++;
        delays.recordValue(Math.min(Math.max(now - sentNanos, 0), delays.getHighestTrackableValue()));
    }

    /** How often events arrived, summed over all streams. */
    public long total() {
        return total;
    }

    public double perSecond() {
        return total < 2 ? 0 : total * 1e9 / (lastNanos - firstNanos);
    }

    public double delayMillis(double percentile) {
        return delays.getValueAtPercentile(percentile) / 1e6;
    }

    /** From sending an event until the last of so many streams had it; a percentile over the events. */
    public double lastOfMillis(int streams, double percentile) {
        Histogram lastOf = new Histogram(TimeUnit.MINUTES.toNanos(10), 3);
        for (int event = 0; event < events; event++) {
            if (counts[event] >= streams) {
                lastOf.recordValue(Math.max(last[event] - sent[event], 0));
            }
        }
        return lastOf.getTotalCount() == 0 ? Double.NaN : lastOf.getValueAtPercentile(percentile) / 1e6;
    }

    /** How many of a load's events did not reach exactly this many streams. */
    public long incomplete(long firstEvent, long count, int streams) {
        long wrong = 0;
        for (long number = firstEvent; number < firstEvent + count; number++) {
            long event = number - this.firstEvent;
            int got = this.firstEvent < 0 || event < 0 || event >= events ? 0 : counts[(int) event];
            wrong += got == streams ? 0 : 1;
        }
        return wrong;
    }
}
