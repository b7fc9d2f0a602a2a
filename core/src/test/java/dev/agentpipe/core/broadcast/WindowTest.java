package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a server that starts puts in front of what it has. */
final class WindowTest {

    private static final long BYTES_MAX = 1 << 20;

    private final TextWire wire = new TextWire();

    private List<Frame> frames(long first, long last) {
        return LongStream.rangeClosed(first, last)
                .mapToObj(position ->
                        wire.frame(new LogRecord(position, EventType.MESSAGE_CREATED, "c", new byte[] {'p'})))
                .toList();
    }

    private static void assertHolds(Window window, long first, long last) {
        assertEquals(first - 1, window.floor());
        assertEquals(last, window.head());
        for (long position = first; position <= last; position++) {
            assertEquals(
                    position, window.get(window.sequenceAfter(position - 1)).position());
        }
        assertEquals(window.next(), window.sequenceAfter(last));
        assertEquals(-1, window.sequenceAfter(first - 2));
    }

    @Test
    void addOlder_goesInFrontOfWhatIsThere() {
        Window window = new Window(16, BYTES_MAX, 100);

        assertTrue(window.addOlder(frames(98, 100), 97, 100));
        window.add(frames(101, 103), 103);
        assertTrue(window.addOlder(frames(95, 97), 94, 97));

        assertHolds(window, 95, 103);
    }

    @Test
    void forget_emptiesTheFramesOfAConversationBeforeAPosition_inTheirPlaces() {
        Frame large = wire.frame(new LogRecord(104, EventType.LOG_ENTRY, "other", new byte[(int) BYTES_MAX - 200]));
        Window window = new Window(16, BYTES_MAX, 100);
        window.add(frames(101, 103), 103);
        window.add(List.of(large), 104);
        window.add(frames(105, 106), 106);

        window.forget("c", 106);

        assertHolds(window, 101, 106);
        for (long position : new long[] {101, 102, 103, 105}) {
            Frame frame = window.get(window.sequenceAfter(position - 1));
            assertEquals(0, frame.bytes(0).length);
            assertNull(frame.conversationId());
        }
        assertEquals(large, window.get(window.sequenceAfter(103)));
        assertTrue(window.get(window.sequenceAfter(105)).bytes(0).length > 0);
        // What they took is free again: nothing must go for as much.
        int freed = 4 * frames(1, 1).get(0).bytes(0).length;
        byte[] fits = new byte[freed - frames(1, 1).get(0).bytes(0).length];
        window.add(List.of(wire.frame(new LogRecord(107, EventType.LOG_ENTRY, "o", fits))), 107);
        assertHolds(window, 101, 107);
    }

    @Test
    void addOlder_withoutRoom_isRefusedAsAWhole() {
        Window window = new Window(16, BYTES_MAX, 100);
        window.add(frames(101, 106), 106);

        assertFalse(window.addOlder(frames(90, 100), 89, 100));
        assertTrue(window.addOlder(frames(91, 100), 90, 100));
        assertHolds(window, 91, 106);

        window.add(frames(107, 110), 110);
        assertHolds(window, 95, 110);
    }

    @Test
    void addOlder_tooManyBytes_isRefused() {
        int bytes = frames(99, 99).get(0).bytes(0).length;
        Window window = new Window(16, 3L * bytes, 99);

        assertFalse(window.addOlder(frames(96, 99), 95, 99));
        assertTrue(window.addOlder(frames(97, 99), 96, 99));
        window.add(frames(100, 101), 101);

        assertEquals(101, window.head());
        assertTrue(window.floor() >= 98, () -> "the bytes of older frames count: " + window.floor());
    }

    @Test
    void addOlder_whatDoesNotAdjoin_isRefused() {
        Window window = new Window(4, BYTES_MAX, 100);
        assertFalse(window.addOlder(frames(98, 99), 97, 99));

        window.add(frames(101, 105), 105); // gives up 101
        assertFalse(window.addOlder(List.of(), 99, 100));
        assertHolds(window, 102, 105);
    }

    /** A reader of another thread, at a position that the window just so holds, or not yet: it never finds a later frame. */
    @Test
    void sequenceAfter_whileFramesAreAddedOnBothSides_skipsNothing() throws Exception {
        ExecutorService writer = Executors.newSingleThreadExecutor();
        Random random = new Random(7);
        try {
            for (int round = 0; round < 300; round++) {
                Window window = new Window(256, BYTES_MAX, 1_000);
                Future<?> writing = writer.submit(() -> addOnBothSides(window));
                int found = 0;
                do {
                    long position = Math.min(window.head(), window.floor() - 4 + random.nextInt(7));
                    long sequence = window.sequenceAfter(position);
                    Frame next = sequence < 0 || sequence >= window.next() ? null : window.get(sequence);
                    if (next != null) {
                        assertEquals(position + 1, next.position());
                        found++;
                    }
                } while (!writing.isDone() || found == 0);
                writing.get();
            }
        } finally {
            writer.shutdownNow();
        }
    }

    private void addOnBothSides(Window window) {
        long head = 1_000;
        for (long end = 1_000; window.addOlder(frames(end - 3, end), end - 4, end); end -= 4) {
            window.add(frames(head + 1, head + 2), head + 2);
            head += 2;
        }
        for (; head < 2_000; head += 2) {
            window.add(frames(head + 1, head + 2), head + 2);
        }
    }
}
