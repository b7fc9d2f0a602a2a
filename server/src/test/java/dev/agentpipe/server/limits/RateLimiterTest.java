package dev.agentpipe.server.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A node with others: the shared tallies are scripted here; RedisTalliesTest has the real ones. */
final class RateLimiterTest {

    private static final Quota QUOTA = new Quota("ingest", "events", 10, Duration.ofSeconds(10));
    private static final long EACH_MICROS = 1_000_000;
    private static final long WINDOW_MICROS = 10_000_000;

    private final LimitCounts counts = new LimitCounts();
    private final Script shared = new Script();
    private final BlockingQueue<Decision> decisions = new LinkedBlockingQueue<>();
    private RateLimiter limiter =
            new RateLimiter(new Tallies(QUOTA.windowNanos(), () -> 0), Optional.of(shared), counts);

    /** Answers what it is told to, once it may. */
    private static final class Script implements SharedTallies {
        private final CountDownLatch mayAnswer = new CountDownLatch(1);
        private final BlockingQueue<List<List<Take>>> asked = new LinkedBlockingQueue<>();
        private volatile boolean isThere = true;
        private volatile Long answer = EACH_MICROS;

        @Override
        public Optional<List<Long>> take(List<List<Take>> requests) {
            asked.add(requests);
            try {
                mayAnswer.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
            if (answer == null) {
                throw new IllegalStateException("scripted");
            }
            return isThere
                    ? Optional.of(requests.stream()
                            .flatMap(List::stream)
                            .map(take -> answer)
                            .toList())
                    : Optional.empty();
        }

        @Override
        public boolean isThere() {
            return isThere;
        }
    }

    @AfterEach
    void close() {
        shared.mayAnswer.countDown();
        limiter.close();
    }

    @Test
    void otherNodes_countToo() throws Exception {
        shared.mayAnswer.countDown();
        shared.answer = WINDOW_MICROS + EACH_MICROS;
        take(1);
        assertEquals(TimeUnit.SECONDS.toNanos(1), decision().waitNanos(), "this node alone had let it go on");
        shared.answer = -1 - (WINDOW_MICROS + 2 * EACH_MICROS);
        take(1);
        assertTrue(decision().isRefused());
        assertEquals(0, counts.alone());
    }

    @Test
    void refusedByOthers_doesNotCountHere() throws Exception {
        shared.mayAnswer.countDown();
        shared.answer = -1 - (WINDOW_MICROS + 2 * EACH_MICROS);
        for (int i = 0; i < 50; i++) {
            take(1);
            assertTrue(decision().isRefused());
        }
        shared.isThere = false;
        take(10);
        assertFalse(decision().isRefused());
    }

    @Test
    void refusedHere_isNotAskedFor() throws Exception {
        shared.mayAnswer.countDown();
        take(10);
        decision();
        shared.asked.clear();
        for (int i = 0; i < 3; i++) {
            take(10);
            assertTrue(decision().isRefused());
        }
        assertEquals(0, shared.asked.size());
    }

    @Test
    void allThatWait_areAskedForInOneRoundTrip() throws Exception {
        for (int i = 0; i < 6; i++) {
            take(1);
            if (i == 0) {
                assertEquals(1, shared.asked.take().size());
            }
        }
        shared.mayAnswer.countDown();
        assertEquals(5, shared.asked.take().size());
        for (int i = 0; i < 6; i++) {
            assertFalse(decision().isRefused());
        }
    }

    @Test
    void othersAway_thisNodeDecides_andCounts() throws Exception {
        shared.mayAnswer.countDown();
        shared.isThere = false;
        take(10);
        take(10);
        assertFalse(decision().isRefused());
        assertTrue(decision().isRefused());
        assertEquals(1, counts.alone());
    }

    @Test
    void othersThatFail_areAsGoodAsAway() throws Exception {
        shared.mayAnswer.countDown();
        shared.answer = null;
        take(1);
        assertFalse(decision().isRefused());
        shared.answer = EACH_MICROS;
        take(1);
        assertFalse(decision().isRefused());
        assertEquals(1, counts.alone());
    }

    @Test
    void tooManyThatWait_areDecidedHere_atOnce() throws Exception {
        take("first", 1);
        shared.asked.take();
        for (int i = 0; i < 4_096; i++) {
            take("t" + i, 1);
        }
        assertEquals(0, decisions.size());
        take("last", 1);
        assertFalse(decision().isRefused());
        assertEquals(1, counts.alone());
    }

    @Test
    void givenBack_isGivenBackEverywhere() throws Exception {
        shared.mayAnswer.countDown();
        take(10);
        decision();
        shared.asked.clear();
        limiter.giveBack(List.of(Charge.of(QUOTA, "a", 10)));
        assertEquals(-WINDOW_MICROS, shared.asked.take().get(0).get(0).costMicros());
        take(10);
        assertFalse(decision().isRefused());
    }

    @Test
    void closed_leavesNobodyWaiting() throws Exception {
        for (int i = 0; i < 4; i++) {
            take(1);
        }
        shared.asked.take();
        limiter.close();
        for (int i = 0; i < 4; i++) {
            assertFalse(decision().isRefused());
        }
    }

    private void take(int count) {
        take("a", count);
    }

    private void take(String who, int count) {
        limiter.take(new ArrayList<>(List.of(Charge.of(QUOTA, who, count))), Runnable::run, decisions::add);
    }

    private Decision decision() throws InterruptedException {
        Decision decision = decisions.poll(20, TimeUnit.SECONDS);
        if (decision == null) {
            throw new AssertionError("nothing was decided");
        }
        return decision;
    }
}
