package dev.agentpipe.server.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogTail;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FreshnessTest {

    private final List<Long> told = new ArrayList<>();
    private final Freshness freshness = new Freshness(100, new LogTail.Listener() {
        @Override
        public void advanced(List<LogRecord> records, long through) {
            told.add(through);
        }

        @Override
        public void lost(long through) {
            told.add(-through);
        }
    });

    @Test
    void conversation_isUntouchedUntilAnEventOfItsOwn() {
        advance("a", 101);
        advance("b", 102);

        assertTrue(freshness.isUntouched("a", 101, 102), "what came after was another's");
        assertFalse(freshness.isUntouched("b", 101, 102));
        assertFalse(freshness.isUntouched("a", 100, 102));
        assertTrue(freshness.isUntouched("c", 100, 102), "nothing since the start");
    }

    @Test
    void whatTheTailHasNotReadYet_isNotVouchedFor() {
        advance("a", 101);

        assertFalse(freshness.isUntouched("c", 101, 102));
        assertTrue(freshness.isUntouched("c", 102, 102), "read at that position itself");
    }

    @Test
    void whatHappenedBeforeTheStart_isNotVouchedFor() {
        advance("a", 101);

        assertFalse(freshness.isUntouched("c", 99, 101));
        assertTrue(freshness.isUntouched("c", 100, 101));
    }

    @Test
    void whatWasLost_isNotVouchedFor() {
        freshness.lost(150);
        advance("a", 151);

        assertFalse(freshness.isUntouched("c", 149, 151));
        assertTrue(freshness.isUntouched("c", 150, 151));
        assertEquals(List.of(-150L, 151L), told, "and the next listener hears all of it");
    }

    @Test
    void eventsWithoutConversation_touchNone() {
        advance(null, 101);

        assertTrue(freshness.isUntouched("a", 100, 101));
    }

    private void advance(String conversation, long position) {
        LogRecord one = new LogRecord(position, EventType.MESSAGE_CREATED, conversation, new byte[0]);
        freshness.advanced(List.of(one), position);
    }
}
