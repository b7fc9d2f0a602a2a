package dev.agentpipe.server.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class TalliesTest {

    private static final Quota QUOTA = new Quota("ingest", "events", 100, Duration.ofSeconds(60));
    private static final long EACH = Duration.ofMillis(600).toNanos();

    /** Any origin: {@code System.nanoTime} may be negative, and run over. */
    private long now = Long.MAX_VALUE - Duration.ofSeconds(90).toNanos();

    private final Tallies tallies = new Tallies(QUOTA.windowNanos(), () -> now);

    @Test
    void quota_atOnce_fits_andTheNextWaitsForItsTurn() {
        for (int i = 1; i <= 100; i++) {
            Decision decision = take(1);
            assertEquals(0, decision.waitNanos());
            assertEquals(100 - i, decision.remaining());
        }
        assertEquals(EACH, take(1).waitNanos());
        assertEquals(2 * EACH, take(1).waitNanos());
        assertEquals(3 * EACH, take(1).waitNanos());
        Decision refused = take(1);
        assertTrue(refused.isRefused());
        assertEquals(4 * EACH, refused.waitNanos(), "when it would go on at once");
    }

    @Test
    void window_hasNoEdgeAtWhichTwiceAsMuchFits() {
        fill();
        now += EACH - 1;
        assertEquals(1, take(1).waitNanos(), "a nanosecond too early");
        now += 1 + EACH;
        assertEquals(0, take(1).waitNanos());
        now += QUOTA.windowNanos() - EACH;
        assertEquals(0, take(99).waitNanos(), "99 have leaked out");
        assertTrue(take(1).waitNanos() > 0);
        now += QUOTA.windowNanos() + EACH;
        assertEquals(0, take(100).waitNanos(), "all have");
        assertTrue(take(1).waitNanos() > 0);
    }

    @Test
    void nothing_letsMoreThroughThanTheQuotaAndWhatLeaksOut() {
        Random random = new Random(7);
        Deque<Long> went = new ArrayDeque<>();
        for (int i = 0; i < 20_000; i++) {
            now += (long) (random.nextDouble() * random.nextDouble() * EACH * 2);
            Decision decision = take(1);
            if (!decision.isRefused()) {
                went.add(now + decision.waitNanos());
            }
            while (now - went.peekFirst() > QUOTA.windowNanos()) {
                went.removeFirst();
            }
            long first = went.peekFirst();
            long last = went.peekLast();
            assertTrue(went.size() <= 101 + (last - first) / EACH, () -> went.size() + " in " + (last - first));
        }
        assertTrue(went.size() > 90, "it was pressed: " + went.size());
    }

    @Test
    void refused_costsNothing() {
        fill();
        take(3);
        for (int i = 0; i < 50; i++) {
            assertTrue(take(1).isRefused());
        }
        now += 4 * EACH;
        assertEquals(0, take(1).waitNanos());
    }

    @Test
    void moreThanTheQuotaInOneRequest_takesAllOfIt_andNoMore() {
        assertEquals(0, take(1_000).waitNanos());
        assertEquals(EACH, take(1).waitNanos());
        assertTrue(take(1_000).isRefused());
        now += QUOTA.windowNanos() + EACH;
        assertEquals(0, take(1_000).waitNanos());
    }

    @Test
    void severalTallies_areChargedAllOrNone() {
        fill();
        take(3);
        Decision decision = tallies.take(List.of(charge("b", 60), charge("a", 1), charge("c", 1)));

        assertTrue(decision.isRefused());
        assertEquals(0, tallies.take(List.of(charge("b", 100))).waitNanos());
        assertEquals(0, tallies.take(List.of(charge("c", 100))).waitNanos());
    }

    @Test
    void givenBack_fitsAgain() {
        fill();
        tallies.giveBack(List.of(charge("a", 40)));
        assertEquals(0, take(40).waitNanos());
        assertEquals(EACH, take(1).waitNanos());
    }

    @Test
    void headers_tellWhatRemains_andWhenOneMoreFits() {
        assertEquals(0, tallies.take(List.of(charge("a", 0))).moreNanos(), "nothing was used");
        assertEquals(EACH, take(1).moreNanos());
        now += EACH / 3;
        Decision decision = take(1);
        assertEquals(98, decision.remaining());
        assertEquals(EACH - EACH / 3, decision.moreNanos());
        take(98);
        decision = take(1);
        assertEquals(0, decision.remaining());
        assertEquals(decision.waitNanos() + EACH, decision.moreNanos());
    }

    @Test
    void parallelTakes_neverLetMoreThrough() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            all.add(threads.submit(() -> {
                int through = 0;
                for (int j = 0; j < 1_000; j++) {
                    through += take(1).isRefused() ? 0 : 1;
                }
                return through;
            }));
        }
        int through = 0;
        for (Future<Integer> one : all) {
            through += one.get();
        }
        threads.shutdown();
        assertEquals(103, through);
    }

    @Test
    void tallies_areForgotten_whenTheyAreEmptyOrTooMany() {
        for (int i = 0; i < 60_000; i++) {
            tallies.take(List.of(charge("t" + i, 1)));
        }
        assertTrue(tallies.size() <= 50_000, () -> tallies.size() + " are kept");
        now += QUOTA.windowNanos() + Quota.HELD_NANOS_MAX + 1;
        assertEquals(0, tallies.size());
        assertFalse(take(1).isRefused());
    }

    private void fill() {
        assertEquals(0, take(100).waitNanos());
    }

    private Decision take(int count) {
        return tallies.take(List.of(charge("a", count)));
    }

    private static Charge charge(String tally, int count) {
        return Charge.of(QUOTA, tally, count);
    }
}
