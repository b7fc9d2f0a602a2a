package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.message;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LogTailTest {

    private static final Duration NEVER = Duration.ofHours(1);
    private static final Duration OFTEN = Duration.ofMillis(2);

    private final ScriptedLog log = new ScriptedLog();
    private final AtomicInteger reads = new AtomicInteger();
    private final Heard heard = new Heard();
    private LogTail tail;

    /** Remembers what the tail has handed on, and waits for it. */
    private static final class Heard implements LogTail.Listener {
        private final List<Long> positions = new ArrayList<>();
        private long through;

        private long lost;

        @Override
        public synchronized void lost(long through) {
            assertEquals(0, lost, "once");
            lost = through;
        }

        @Override
        public synchronized void advanced(List<LogRecord> records, long through) {
            assertTrue(through > this.through, "it only grows");
            records.forEach(record -> positions.add(record.position()));
            this.through = through;
            notifyAll();
        }

        synchronized List<Long> upTo(long position) throws InterruptedException {
            long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
            while (through < position) {
                long left = (deadline - System.nanoTime()) / 1_000_000;
                assertTrue(left > 0, () -> "only through " + through);
                wait(left);
            }
            return List.copyOf(positions);
        }
    }

    private void start(long from, Duration poll) {
        tail = new LogTail(log, from, poll, heard).start();
        log.beforeRead(reads::incrementAndGet);
    }

    @AfterEach
    void close() {
        tail.close();
    }

    private Appended append(int number, int count) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            events.add(message("c", "m" + number + "." + i, "content"));
        }
        return log.append(events);
    }

    private static List<Event> events(int number, int count) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            events.add(message("c", "m" + number + "." + i, "content"));
        }
        return events;
    }

    @Test
    void committed_nothingBetween_isHandedOnWithoutReading() throws Exception {
        start(0, NEVER);

        tail.committed(append(1, 3), events(1, 3));
        tail.committed(append(2, 1), events(2, 1));

        assertEquals(List.of(1L, 2L, 3L, 4L), heard.upTo(4));
        assertEquals(0, reads.get());
    }

    @Test
    void committed_anotherNodesEventsBetween_areReadFirst() throws Exception {
        start(0, NEVER);
        append(1, 2); // another node

        tail.committed(append(2, 2), events(2, 2));

        assertEquals(List.of(1L, 2L, 3L, 4L), heard.upTo(4));
    }

    @Test
    void committed_withDuplicates_leavesHoles() throws Exception {
        start(0, NEVER);
        tail.committed(append(1, 2), events(1, 2));
        List<Event> again = List.of(events(1, 2).get(0), events(2, 1).get(0));

        tail.committed(log.append(again), again);

        assertEquals(List.of(1L, 2L, 4L), heard.upTo(4));
        assertEquals(0, reads.get());
    }

    @Test
    void committed_toldTwiceAndLate_isHandedOnOnce() throws Exception {
        start(0, NEVER);
        Appended first = append(1, 2);
        Appended second = append(2, 2);

        tail.committed(second, events(2, 2)); // the first is read from the log
        tail.committed(first, events(1, 2));
        tail.committed(second, events(2, 2));
        tail.committed(append(3, 1), events(3, 1));

        assertEquals(List.of(1L, 2L, 3L, 4L, 5L), heard.upTo(5));
    }

    @Test
    void hint_ofAnotherNode_isReadAtOnce() throws Exception {
        start(0, NEVER);
        append(1, 3);

        tail.hint(3);

        assertEquals(List.of(1L, 2L, 3L), heard.upTo(3));
    }

    @Test
    void poll_noHint_findsAnotherNodesEvents() throws Exception {
        start(0, OFTEN);

        append(1, 3);

        assertEquals(List.of(1L, 2L, 3L), heard.upTo(3));
    }

    @Test
    void start_fromAPosition_hearsOnlyWhatFollows() throws Exception {
        append(1, 3);
        start(2, OFTEN);

        assertEquals(List.of(3L), heard.upTo(3));
    }

    @Test
    void log_failsForAWhile_nothingIsMissed() throws Exception {
        start(0, OFTEN);
        AtomicInteger failures = new AtomicInteger();
        log.beforeRead(() -> {
            if (failures.incrementAndGet() < 5) {
                throw new LogUnavailableException("away", null);
            }
        });
        append(1, 2);

        tail.committed(append(2, 2), events(2, 2));

        assertEquals(List.of(1L, 2L, 3L, 4L), heard.upTo(4));
        assertTrue(failures.get() >= 5);
    }

    @Test
    void log_noLongerRetainsWhatFollows_saysSoAndGoesOn() throws Exception {
        append(1, 10);
        log.memory.trim(6);
        start(2, OFTEN);

        assertEquals(LongStream.rangeClosed(7, 10).boxed().toList(), heard.upTo(10));
        assertEquals(6, heard.lost);
    }

    @Test
    void manyAppends_ofTwoNodes_areHeardOnceAndInOrder() throws Exception {
        start(0, OFTEN);
        Random random = new Random(42);
        for (int i = 0; i < 2_000; i++) {
            int count = 1 + random.nextInt(20);
            Appended appended = append(i, count);
            if (random.nextInt(3) > 0) {
                tail.committed(appended, events(i, count));
            } else if (random.nextBoolean()) {
                tail.hint(appended.head());
            }
        }
        long head = log.memory.state().head();

        assertEquals(LongStream.rangeClosed(1, head).boxed().toList(), heard.upTo(head));
    }
}
