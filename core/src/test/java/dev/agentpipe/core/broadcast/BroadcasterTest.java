package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class BroadcasterTest {

    private final Broadcaster broadcaster = new Broadcaster(new TextWire()::frame, 100, Broadcaster.Limits.DEFAULT);

    private static LogRecord record(long position, EventType type, String conversationId) {
        return new LogRecord(position, type, conversationId, conversationId.getBytes(StandardCharsets.UTF_8));
    }

    private static LogRecord message(long position, String conversationId) {
        return record(position, EventType.MESSAGE_CREATED, conversationId);
    }

    private String held() {
        List<String> held = new ArrayList<>();
        Window window = broadcaster.window();
        for (long sequence = window.sequenceAfter(window.floor()); sequence < window.next(); sequence++) {
            held.add(new String(window.get(sequence).bytes(0), StandardCharsets.UTF_8));
        }
        return String.join("", held);
    }

    /** Another node was still deleting when this one started. */
    @Test
    void preceded_byWhatIsBeingDeleted_keepsNothingOfIt() {
        assertTrue(broadcaster.preceded(
                List.of(
                        message(96, "gone"),
                        message(97, "kept"),
                        record(98, EventType.CONVERSATION_DELETED, "gone"),
                        message(99, "gone")),
                95,
                100));
        assertTrue(broadcaster.preceded(List.of(message(93, "gone"), message(94, "kept")), 92, 95));

        assertEquals("94:kept;97:kept;98:gone;99:gone;", held());
    }

    @Test
    void preceded_afterADeletion_keepsNothingOfWhatWasDeleted() {
        broadcaster.advanced(List.of(record(101, EventType.CONVERSATION_DELETED, "gone"), message(102, "gone")), 102);
        assertTrue(broadcaster.preceded(List.of(message(99, "gone"), message(100, "kept")), 98, 100));

        assertEquals("100:kept;101:gone;102:gone;", held());
    }
}
