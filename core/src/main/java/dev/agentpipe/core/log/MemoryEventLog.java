package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.EventFilter;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * An {@link EventLog} that lives as long as its process: for tests, and for embedders who need no history.
 *
 * <p>It holds a bounded number of events. With the oldest event its identity goes, too, so here (and only here) an event
 * that is sent again after that many others counts as new.
 *
 * <p>Thread-safe: one lock around everything; nothing is called while it is held.
 */
public final class MemoryEventLog implements EventLog {

    private final String epoch;
    private final int retainedMax;

    // Guarded by this.
    private final Deque<Entry> entries = new ArrayDeque<>();
    private final Map<ByteBuffer, Entry> byIdentity = new HashMap<>();
    private long floor;
    private long head;

    /** One event; {@code content} is null unless it is a message. */
    private record Entry(LogRecord log, ByteBuffer identity, String content) {}

    /** A log with a random epoch. */
    public MemoryEventLog(int retainedMax) {
        this(Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), Character.MAX_RADIX), retainedMax);
    }

    public MemoryEventLog(String epoch, int retainedMax) {
        if (retainedMax < 1) {
            throw new IllegalArgumentException("retainedMax must be positive");
        }
        this.epoch = epoch;
        this.retainedMax = retainedMax;
    }

    @Override
    public synchronized LogState state() {
        return new LogState(epoch, floor, head);
    }

    @Override
    public synchronized Appended append(List<Event> events) {
        long headBefore = head;
        List<AppendResult> results = new ArrayList<>(events.size());
        for (Event event : events) {
            results.add(append(event, headBefore + results.size() + 1));
        }
        while (entries.size() > retainedMax) {
            removeOldest();
        }
        return new Appended(headBefore, head, results);
    }

    /** Retains no events up to this position any longer. */
    public synchronized void trim(long through) {
        while (!entries.isEmpty() && entries.getFirst().log().position() <= through) {
            removeOldest();
        }
        floor = Math.max(floor, Math.min(through, head));
    }

    private void removeOldest() {
        Entry oldest = entries.removeFirst();
        byIdentity.remove(oldest.identity());
        floor = oldest.log().position();
    }

    /** Positions of duplicates stay empty, as in PostgreSQL, so that nobody comes to rely on the opposite. */
    private AppendResult append(Event event, long position) {
        Event.Envelope envelope = event.envelope();
        ByteBuffer identity = ByteBuffer.wrap(envelope.identity().clone());
        String content = event instanceof MessageCreated message ? message.content() : null;
        Entry known = byIdentity.get(identity);
        if (known == null) {
            LogRecord log = new LogRecord(position, envelope.type(), envelope.conversationId(), envelope.payload());
            Entry entry = new Entry(log, identity, content);
            entries.addLast(entry);
            byIdentity.put(identity, entry);
            head = position;
            return new AppendResult.Stored(position);
        }
        boolean same = content == null
                || (content.equals(known.content())
                        && envelope.conversationId().equals(known.log().conversationId()));
        return same ? new AppendResult.Duplicate(known.log().position()) : new AppendResult.Conflict();
    }

    @Override
    public synchronized Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        List<LogRecord> records = new ArrayList<>();
        long bytes = 0;
        for (Entry entry : entries) {
            LogRecord log = entry.log();
            if (log.position() > upTo) {
                break;
            }
            if (log.position() > after && filter.matches(log.type(), log.conversationId())) {
                records.add(log);
                bytes += log.payload().length;
                if (records.size() >= recordsMax || bytes >= bytesMax) {
                    return new Page(records, log.position(), floor);
                }
            }
        }
        return new Page(records, upTo, floor);
    }

    @Override
    public synchronized long beforeLast(int count, EventFilter filter) {
        long before = head;
        int found = 0;
        Iterator<Entry> newestFirst = entries.descendingIterator();
        while (found < count && newestFirst.hasNext()) {
            LogRecord log = newestFirst.next().log();
            if (filter.matches(log.type(), log.conversationId())) {
                found++;
                before = log.position() - 1;
            }
        }
        return before;
    }
}
