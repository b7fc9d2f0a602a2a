package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class BackfillTest {

    private final ScriptedLog log = new ScriptedLog();
    private final Recollection recollection = new Recollection();

    /** Takes pieces from newer to older ones, so many of them. */
    private static final class Recollection implements LogTail.Listener {
        private final List<Long> positions = new ArrayList<>();
        private final CountDownLatch both = new CountDownLatch(2);
        private int piecesLeft = Integer.MAX_VALUE;
        private long floor = -1;

        @Override
        public synchronized void advanced(List<LogRecord> records, long through) {
            records.forEach(record -> positions.add(record.position()));
            both.countDown();
        }

        @Override
        public synchronized boolean preceded(List<LogRecord> records, long after, long upTo) {
            assertTrue(floor < 0 || upTo == floor, "pieces adjoin");
            positions.addAll(0, records.stream().map(LogRecord::position).toList());
            floor = after;
            if (after == 0) {
                both.countDown();
            }
            return --piecesLeft > 0;
        }

        synchronized void assertHolds(long first, long last) {
            assertEquals(LongStream.rangeClosed(first, last).boxed().toList(), positions);
        }
    }

    private Backfill backfill() {
        return new Backfill(log, recollection, log.memory.state().head());
    }

    private void run(Backfill backfill) {
        while (backfill.step()) {
            // The next piece.
        }
    }

    @Test
    void emptyLog_isNotRead() {
        log.beforeRead(() -> {
            throw new AssertionError("read");
        });
        assertFalse(backfill().step());
    }

    @Test
    void smallLog_isReadToItsBeginning() {
        log.append(messages("c", "m", 3_000));

        run(backfill());

        recollection.assertHolds(1, 3_000);
        assertEquals(0, recollection.floor);
    }

    @Test
    void largeLog_isReadAsFarAsTheLimit() {
        log.append(messages("c", "m", 20_000));

        run(backfill());

        recollection.assertHolds(20_000 - 16_384 + 1, 20_000);
    }

    @Test
    void listener_hasEnough_isSpared() {
        log.append(messages("c", "m", 3_000));
        recollection.piecesLeft = 2;

        run(backfill());

        recollection.assertHolds(3_000 - 2 * 512 + 1, 3_000);
    }

    @Test
    void largeRecords_areReadInSmallerPiecesUpToTheLimit() {
        log.append(large(40, 600 << 10));

        run(backfill());

        assertEquals(40, recollection.positions.get(recollection.positions.size() - 1));
        recollection.assertHolds(recollection.positions.get(0), 40);
        int bytes = recollection.positions.size() * (600 << 10);
        assertTrue(bytes > 22 << 20 && bytes <= 24 << 20, () -> bytes + " bytes");
    }

    private static List<Event> large(int count, int bytes) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] identity = message("c", "m" + i, 0).envelope().identity();
            events.add(new Event.Notice(new Event.Envelope(EventType.BRIDGE_TEST, null, 0, identity, new byte[bytes])));
        }
        return events;
    }

    @Test
    void holes_arePassed() {
        log.append(messages("c", "m", 2));
        for (int i = 0; i < 5; i++) {
            log.append(List.of(message("c", "m1", 1), message("c", "x" + i, 1)));
        }
        run(backfill());

        assertEquals(List.of(1L, 2L, 4L, 6L, 8L, 10L, 12L), recollection.positions);
        assertEquals(0, recollection.floor);
    }

    @Test
    void whatIsNotRetained_isWhereItEnds() {
        log.append(messages("c", "m", 1_000));
        log.memory.trim(300);
        run(backfill());

        recollection.assertHolds(301, 1_000);
        assertEquals(300, recollection.floor);
    }

    @Test
    void everythingTrimmedMeanwhile_isTheEnd() {
        log.append(messages("c", "m", 1_000));
        Backfill backfill = backfill();
        assertTrue(backfill.step());
        log.memory.trim(1_000);

        assertFalse(backfill.step());
        recollection.assertHolds(489, 1_000);
    }

    @Test
    void logAway_isAskedAgain() {
        log.append(messages("c", "m", 1_000));
        Backfill backfill = backfill();
        log.beforeRead(() -> {
            throw new LogUnavailableException("away", null);
        });
        assertThrows(LogUnavailableException.class, backfill::step);
        log.beforeRead(() -> {});

        run(backfill);

        recollection.assertHolds(1, 1_000);
    }

    @Test
    void tail_fillsUpBesideItsWork() throws Exception {
        log.append(messages("c", "m", 5_000));
        try (LogTail tail = new LogTail(log, 5_000, Duration.ofHours(1), recollection).start()) {
            List<Event> next = messages("c", "next", 1);
            tail.committed(log.append(next), next);

            assertTrue(recollection.both.await(10, TimeUnit.SECONDS));
        }
        recollection.assertHolds(1, 5_001);
    }
}
