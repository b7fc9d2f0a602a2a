package dev.agentpipe.core.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Readers of every kind (resuming from anywhere, with and without filters, taking a few bytes at a time) on lanes of real
 * threads, while another thread publishes: each must get exactly what matches, once and in order. The window is so small
 * that readers fall out of it all the time, so all hand-overs (log to window, window to sweep, and back) happen thousands of
 * times, at every moment.
 */
class HandOverStressTest {

    private static final int RECORDS = 4_000;
    private static final int READERS = 40;
    private static final int LANES = 2;

    private final RecordedLog log = new RecordedLog();
    private final TextWire wire = new TextWire();
    private final Broadcaster broadcaster = new Broadcaster(wire::frame, 0, new Broadcaster.Limits(32, 4_096));
    private final List<LogRecord> published = new ArrayList<>();

    /** More of them: {@code bin/test -pl core -Dtest=HandOverStressTest -Dtest.jvm.more=-Dstress.rounds=1000}. */
    static LongStream seeds() {
        return LongStream.rangeClosed(1, Integer.getInteger("stress.rounds", 10));
    }

    /** An event loop: one thread; "later" is behind all that is queued. */
    private record ThreadLoop(ExecutorService thread) implements Loop {
        @Override
        public void execute(Runnable task) {
            thread.execute(task);
        }

        @Override
        public void executeLater(Runnable task) {
            thread.execute(task);
        }
    }

    /** A connection that is full again and again, and done when the last record that it wants has come. */
    private static final class FickleOutlet implements Outlet {
        private final Random random;
        private final StringBuilder taken = new StringBuilder();
        private final CountDownLatch done = new CountDownLatch(1);
        private String last;
        private Lane lane;
        private Loop loop;
        private Subscription subscription;
        private CloseReason closed;

        FickleOutlet(long seed) {
            this.random = new Random(seed);
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            int some = random.nextInt(3) > 0 ? bytes.remaining() : random.nextInt(bytes.remaining() + 1);
            byte[] copy = new byte[some];
            bytes.get(copy);
            taken.append(new String(copy, StandardCharsets.UTF_8));
            if (taken.length() >= last.length()
                    && taken.substring(taken.length() - last.length()).equals(last)) {
                done.countDown();
            }
            return some;
        }

        @Override
        public void awaitWritable() {
            loop.execute(() -> lane.writable(subscription));
        }

        @Override
        public void close(CloseReason reason) {
            closed = reason;
        }
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void readers_ofEveryKind_getEachMatchingRecordOnceAndInOrder(long seed) throws Exception {
        Random random = new Random(seed);
        Duration slice = Duration.ofNanos(1L << random.nextInt(20)); // from one reader to all of them
        List<ExecutorService> threads = new ArrayList<>();
        ExecutorService workers = Executors.newFixedThreadPool(2);
        List<Lane> lanes = new ArrayList<>();
        List<Loop> loops = new ArrayList<>();
        for (int i = 0; i < LANES; i++) {
            ExecutorService thread = Executors.newSingleThreadExecutor();
            threads.add(thread);
            Loop loop = new ThreadLoop(thread);
            loops.add(loop);
            Lane.Limits limits = new Lane.Limits(Duration.ofHours(1), Duration.ofHours(1), slice);
            lanes.add(new Lane(broadcaster, wire, new Replays(log, wire, workers, 2), loop, limits, System::nanoTime));
        }
        makeRecords(random);
        List<FickleOutlet> outlets = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        int next = 0;
        try {
            while (next < RECORDS) {
                int count = Math.min(RECORDS - next, 1 + random.nextInt(20));
                List<LogRecord> some = published.subList(next, next + count);
                log.add(some);
                broadcaster.advanced(some, some.get(count - 1).position());
                next += count;
                if (outlets.size() < READERS && random.nextInt(RECORDS / READERS / 12) == 0) {
                    int lane = random.nextInt(LANES);
                    attach(random, lanes.get(lane), loops.get(lane), outlets, expected);
                }
                if (random.nextInt(4) == 0) {
                    Thread.yield();
                }
            }
            for (int i = 0; i < outlets.size(); i++) {
                FickleOutlet outlet = outlets.get(i);
                assertTrue(outlet.done.await(30, TimeUnit.SECONDS), "reader " + i + " closed=" + outlet.closed);
            }
        } finally {
            for (ExecutorService thread : threads) {
                thread.shutdown();
                assertTrue(thread.awaitTermination(10, TimeUnit.SECONDS));
            }
            workers.shutdownNow();
        }
        assertTrue(outlets.size() > READERS / 2, outlets.size() + " readers");
        for (int i = 0; i < outlets.size(); i++) {
            assertSame(
                    expected.get(i),
                    outlets.get(i).taken.toString(),
                    "reader " + i + " " + outlets.get(i).subscription.filter);
        }
    }

    /** Shows where they part, not hundreds of kilobytes. */
    private static void assertSame(String expected, String actual, String reader) {
        int same = 0;
        while (same < Math.min(expected.length(), actual.length()) && expected.charAt(same) == actual.charAt(same)) {
            same++;
        }
        String message = reader + " after " + same + " of " + expected.length() + " characters";
        assertEquals(around(expected, same), around(actual, same), message);
        assertEquals(expected.length(), actual.length(), message);
    }

    private static String around(String text, int at) {
        return text.substring(Math.max(0, at - 100), Math.min(text.length(), at + 100));
    }

    private void makeRecords(Random random) {
        long position = 0;
        for (int i = 0; i < RECORDS; i++) {
            position += random.nextInt(10) == 0 ? 3 : 1; // with holes, as duplicates leave
            String payload = "x".repeat(random.nextInt(50) == 0 ? 3_000 : random.nextInt(60));
            String conversation = "c" + random.nextInt(5);
            published.add(new LogRecord(
                    position,
                    random.nextBoolean() ? EventType.MESSAGE_CREATED : EventType.LOG_ENTRY,
                    i == RECORDS - 1 ? "all" : conversation,
                    payload.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private void attach(Random random, Lane lane, Loop loop, List<FickleOutlet> outlets, List<String> expected) {
        EventFilter filter = switch (random.nextInt(3)) {
            case 0 -> new EventFilter(Set.of("all", "c" + random.nextInt(5)), Set.of());
            case 1 ->
                new EventFilter(Set.of(), Set.of(published.get(RECORDS - 1).type()));
            default -> EventFilter.ALL;
        };
        long after = (long) (random.nextDouble() * broadcaster.head());
        StringBuilder text = new StringBuilder();
        String last = "";
        for (LogRecord record : published) {
            if (record.position() > after && filter.matches(record.type(), record.conversationId())) {
                last = new String(wire.frame(record).bytes(0), StandardCharsets.UTF_8);
                text.append(last);
            }
        }
        FickleOutlet outlet = new FickleOutlet(random.nextLong());
        outlet.last = last;
        outlet.lane = lane;
        outlet.loop = loop;
        outlet.subscription = new Subscription(filter, 0, outlet, after, Duration.ZERO);
        outlets.add(outlet);
        expected.add(text.toString());
        loop.execute(() -> lane.attach(outlet.subscription));
    }
}
