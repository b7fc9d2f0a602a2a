package dev.agentpipe.server.metrics;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.CommitOutcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Timer;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * What the path of an event tells. For each event it costs an addition to an array and a recording of its time; all else is
 * for each group. Thread-safe.
 */
final class EventMetrics implements Telemetry {

    private enum Outcome {
        STORED,
        DUPLICATE,
        CONFLICT;

        static Outcome of(AppendResult result) {
            return result instanceof AppendResult.Stored
                    ? STORED
                    : result instanceof AppendResult.Duplicate ? DUPLICATE : CONFLICT;
        }
    }

    private static final EventType[] TYPES = EventType.values();
    private static final Outcome[] OUTCOMES = Outcome.values();

    private final Meters meters;
    private final Counter[] events = new Counter[TYPES.length * OUTCOMES.length];
    private final Map<String, Counter> failed = new ConcurrentHashMap<>();
    private final Counter payloads;
    private final Timer append;
    private final Timer commit;
    private final DistributionSummary group;
    private final Timer broadcast;
    private final Timer page;
    private final Counter replayed;
    private final Timer stream;

    EventMetrics(Meters meters) {
        this.meters = meters;
        for (EventType type : TYPES) {
            for (Outcome outcome : OUTCOMES) {
                if (!type.isServersOwn()) {
                    events[slot(type, outcome)] = meters.counter(
                            "agentpipe.ingest.events",
                            null,
                            "Events that were committed",
                            "type",
                            type.wireName(),
                            "outcome",
                            label(outcome));
                }
            }
        }
        payloads = meters.counter("agentpipe.ingest.payload", "bytes", "Bytes of the events that were committed");
        append = meters.timer("agentpipe.ingest.append", "From entering the queue until it is durable", Meters.LATENCY);
        commit = meters.timer("agentpipe.ingest.commit", "The transaction of a group", Meters.LATENCY);
        group = meters.sizes("agentpipe.ingest.group", "events", "Events of a group", Meters.GROUP);
        broadcast = meters.timer(
                "agentpipe.broadcast.delay",
                "From the commit until the last live reader of an I/O thread has it",
                Meters.LATENCY);
        page = meters.timer(
                "agentpipe.replay.page", "Reading a page of the log for a reader that is far behind", Meters.LATENCY);
        replayed = meters.counter("agentpipe.replay.events", null, "Events in the pages read for readers");
        stream = meters.timer("agentpipe.stream.duration", "How long streams were open", Meters.STREAM);
    }

    private static int slot(EventType type, Outcome outcome) {
        return type.ordinal() * OUTCOMES.length + outcome.ordinal();
    }

    private static String label(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void committed(List<Event> some, Appended appended, long nanos) {
        int[] counts = new int[events.length];
        long bytes = 0;
        for (int i = 0; i < some.size(); i++) {
            Event.Envelope envelope = some.get(i).envelope();
            counts[slot(envelope.type(), Outcome.of(appended.results().get(i)))]++;
            bytes += envelope.payload().length;
        }
        for (int i = 0; i < counts.length; i++) {
            if (counts[i] > 0 && events[i] != null) {
                events[i].increment(counts[i]);
            }
        }
        payloads.increment(bytes);
        group.record(some.size());
        commit.record(nanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void acknowledged(long waitedNanos) {
        append.record(waitedNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void refused(int count, CommitOutcome.Reason reason) {
        failed(label(reason)).increment(count);
    }

    @Override
    public void rejected(String code) {
        failed(code).increment();
    }

    private Counter failed(String code) {
        return failed.computeIfAbsent(
                code,
                unseen ->
                        meters.counter("agentpipe.ingest.failed", null, "Events that were not taken", "code", unseen));
    }

    @Override
    public void broadcast(long delayNanos) {
        broadcast.record(delayNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void pageRead(int records, long nanos) {
        page.record(nanos, TimeUnit.NANOSECONDS);
        replayed.increment(records);
    }

    @Override
    public void ended(long openNanos) {
        stream.record(openNanos, TimeUnit.NANOSECONDS);
    }
}
