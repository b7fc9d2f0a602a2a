package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class RecentRecordsTest {

    private static final Duration LONG = Duration.ofHours(1);

    private final MemoryEventLog log = new MemoryEventLog("test", 100_000);
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

    private RecentRecords read(int recordsMax, int bytesMax, Duration durationMax) {
        return RecentRecords.read(
                log,
                log.state(),
                new RecentRecords.Limits(recordsMax, bytesMax, durationMax),
                () -> nanos.getAndAdd(Duration.ofMillis(10).toNanos()));
    }

    private static void assertHolds(RecentRecords recent, long first, long last) {
        assertEquals(first - 1, recent.after());
        assertEquals(
                LongStream.rangeClosed(first, last).boxed().toList(),
                recent.records().stream().map(LogRecord::position).toList());
    }

    @Test
    void emptyLog_holdsNothing() {
        assertHolds(read(100, 1 << 20, LONG), 1, 0);
    }

    @Test
    void smallLog_isReadToItsBeginning() {
        log.append(messages("c", "m", 3_000));

        assertHolds(read(16_384, 24 << 20, LONG), 1, 3_000);
    }

    @Test
    void limits_areKept() {
        log.append(messages("c", "m", 5_000));
        int bytes =
                log.read(4_999, 5_000, EventFilter.ALL, 1, 1).records().get(0).payload().length;

        assertHolds(read(2_000, 24 << 20, LONG), 3_001, 5_000);
        assertHolds(read(16_384, 24 << 20, Duration.ofMillis(25)), 5_000 - 2 * 1_024 + 1, 5_000);
        RecentRecords some = read(16_384, 1_500 * bytes, LONG);
        assertTrue(some.records().size() <= 1_500 && some.records().size() >= 1_024, () -> some.after() + "");
        assertHolds(some, some.after() + 1, 5_000);
    }

    @Test
    void largeRecords_areReadInSmallerPieces() {
        List<Event> large = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            large.add(new Event.Notice(new Event.Envelope(
                    EventType.BRIDGE_TEST,
                    null,
                    0,
                    message("c", "m" + i, 0).envelope().identity(),
                    new byte[1 << 20])));
        }
        log.append(large);

        RecentRecords some = read(16_384, 24 << 20, LONG);

        assertTrue(some.records().size() >= 16, () -> some.records().size() + "");
        assertTrue(some.records().size() <= 24, () -> some.records().size() + "");
        assertHolds(some, some.after() + 1, 40);
    }

    @Test
    void holesAndWhatIsNotRetained_arePassed() {
        log.append(messages("c", "m", 100));
        for (int i = 0; i < 50; i++) {
            log.append(List.of(message("c", "m1", 1), message("c", "x" + i, 1)));
        }
        log.trim(60);

        RecentRecords all = read(16_384, 24 << 20, LONG);

        assertEquals(60, all.after());
        assertEquals(90, all.records().size());
    }
}
