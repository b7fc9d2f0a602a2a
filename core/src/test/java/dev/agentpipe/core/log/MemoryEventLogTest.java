package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import org.junit.jupiter.api.Test;

final class MemoryEventLogTest extends EventLogContract {

    private final MemoryEventLog log = new MemoryEventLog(1_000);

    @Override
    protected EventLog log() {
        return log;
    }

    @Override
    protected void trim(long through) {
        log.trim(through);
    }

    @Test
    void append_pastTheRetention_forgetsTheOldest() {
        EventLog small = new MemoryEventLog("k7f3", 3);
        small.append(messages("c", "a", 2));
        small.append(messages("c", "b", 3));

        assertEquals(new LogState("k7f3", 2, 5), small.state());
        assertEquals(
                3, small.read(0, 5, EventFilter.ALL, 100, 1_000_000).records().size());
    }

    @Test
    void epoch_random_isUsableInAStreamId() {
        String epoch = new MemoryEventLog(1).state().epoch();

        assertTrue(StreamId.parse(new StreamId(epoch, 7).toString()).isPresent(), epoch);
    }
}
