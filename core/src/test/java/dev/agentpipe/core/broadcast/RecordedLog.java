package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogState;
import java.util.ArrayList;
import java.util.List;

/** The reading half of a log, filled with records by the test, and failing when told to. Thread-safe. */
final class RecordedLog implements EventLog {

    private final List<LogRecord> records = new ArrayList<>();
    private int reads;
    private long floor;
    private RuntimeException failure;

    synchronized void add(List<LogRecord> more) {
        records.addAll(more);
    }

    synchronized int reads() {
        return reads;
    }

    synchronized void failReads(RuntimeException failure) {
        this.failure = failure;
    }

    synchronized void trim(long through) {
        records.removeIf(record -> record.position() <= through);
        floor = through;
    }

    @Override
    public synchronized Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        reads++;
        if (failure != null) {
            throw failure;
        }
        List<LogRecord> page = new ArrayList<>();
        int bytes = 0;
        for (LogRecord record : records) {
            boolean inRange = record.position() > after && record.position() <= upTo;
            if (inRange && filter.matches(record.type(), record.conversationId())) {
                page.add(record);
                bytes += record.payload().length;
                if (page.size() == recordsMax || bytes >= bytesMax) {
                    return new Page(page, record.position(), floor);
                }
            }
        }
        return new Page(page, upTo, floor);
    }

    @Override
    public LogState state() {
        throw new UnsupportedOperationException("lanes do not ask");
    }

    @Override
    public Appended append(List<Event> events) {
        throw new UnsupportedOperationException("lanes do not append");
    }

    @Override
    public long beforeLast(int count, EventFilter filter) {
        throw new UnsupportedOperationException("lanes do not ask");
    }
}
