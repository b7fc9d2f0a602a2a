package dev.agentpipe.server.loadtest;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/**
 * The events of one step: when each is due, what the server answered, how many streams have it. Event n is due n/rate after
 * the start, whatever became of those before it, and all times count from then: an answer that the server, or the wait for
 * a free connection, held up counts in full (no coordinated omission). The first events, while a load settles, are sent and
 * must arrive, but their times do not count.
 *
 * <p>Thread-safe; times are those of {@link System#nanoTime}, given by the caller.
 */
final class Ledger {

    // What became of an event; written once.
    private static final int OPEN = 0;
    private static final int STORED = 1;
    private static final int REFUSED = 2;

    private final int step;
    private final long start;
    private final double nanosBetween;
    private final int count;
    private final int firstCounted;
    private final AtomicIntegerArray answers;
    private final AtomicIntegerArray deliveries;
    private final Recorder latency = new Recorder(3);
    private final Recorder delayEarly = new Recorder(3);
    private final Recorder delayLate = new Recorder(3);
    private final LongAdder storedInTime = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder delivered = new LongAdder();
    private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();

    /** When nothing more was due; the scheduled end unless the run was stopped. */
    private volatile long end;

    /**
     * @param step its number in the run
     * @param start when the first event is due
     */
    Ledger(int step, long start, double eventsPerSecond, long settleNanos, long nanos) {
        this.step = step;
        this.start = start;
        nanosBetween = 1e9 / eventsPerSecond;
        firstCounted = (int) Math.ceil(settleNanos / nanosBetween);
        count = firstCounted + Math.max(1, (int) Math.round(nanos / nanosBetween));
        answers = new AtomicIntegerArray(count);
        deliveries = new AtomicIntegerArray(count);
        end = due(count);
    }

    int step() {
        return step;
    }

    int count() {
        return count;
    }

    long due(int index) {
        return start + (long) (index * nanosBetween);
    }

    long end() {
        return end;
    }

    /** Nothing is due after this, though it was planned. */
    void cut(long now) {
        end = Math.min(end, now);
    }

    void stored(int index, long now) {
        if (answers.compareAndSet(index, OPEN, STORED)) {
            stored.increment();
            answered(index, now);
            if (now >= due(firstCounted) && now < end) {
                storedInTime.increment();
            }
        }
    }

    void refused(int index, String why, long now) {
        if (answers.compareAndSet(index, OPEN, REFUSED)) {
            failures.computeIfAbsent(why, name -> new LongAdder()).increment();
            answered(index, now);
        }
    }

    private void answered(int index, long now) {
        if (index >= firstCounted) {
            latency.recordValue(Math.max(0, now - due(index)));
        }
    }

    /** A stream has it. */
    void delivered(int index, long now) {
        if (index >= count) {
            return;
        }
        deliveries.incrementAndGet(index);
        delivered.increment();
        if (index >= firstCounted) {
            Recorder delay = index < firstCounted + (count - firstCounted) / 2 ? delayEarly : delayLate;
            delay.recordValue(Math.max(0, now - due(index)));
        }
    }

    /** Events that were stored in this step, those of its beginning included. */
    long storedCount() {
        return stored.sum();
    }

    long deliveredCount() {
        return delivered.sum();
    }

    /**
     * How many deliveries of stored events have not come.
     *
     * @param followers how many streams each conversation has
     */
    long missing(int[] followers) {
        long missing = 0;
        for (int index = 0; index < count; index++) {
            if (answers.get(index) == STORED) {
                missing += Math.max(0, followers[index % followers.length] - deliveries.get(index));
            }
        }
        return missing;
    }

    /** To be asked once, when all is over: what is still open counts as refused by silence, after the time until now. */
    Measurement measured(Step asked, Viewers.Seen seen, ClientLoad client, long now) {
        long due = 0;
        long errors = 0;
        for (int index = firstCounted; index < count && due(index) < end; index++) {
            due++;
            refused(index, "no answer", now);
            errors += answers.get(index) == STORED ? 0 : 1;
        }
        Map<String, Long> why = new TreeMap<>();
        failures.forEach((name, number) -> why.put(name, number.sum()));
        double seconds = Math.max(1, end - due(firstCounted)) / 1e9;
        return new Measurement(
                asked,
                seconds,
                due,
                storedInTime.sum() / seconds,
                errors,
                Percentiles.ofNanos(latency.getIntervalHistogram()),
                why,
                streams(seen),
                client);
    }

    private Measurement.Streams streams(Viewers.Seen seen) {
        Histogram early = delayEarly.getIntervalHistogram();
        Histogram late = delayLate.getIntervalHistogram();
        double p50Early = Percentiles.ofNanos(early).p50();
        double p50Late = Percentiles.ofNanos(late).p50();
        early.add(late);
        return new Measurement.Streams(
                seen.opened(),
                seen.lost(),
                delivered.sum(),
                missing(seen.followers()),
                seen.disordered(),
                Percentiles.ofNanos(early),
                p50Early,
                p50Late,
                seen.failures());
    }
}
