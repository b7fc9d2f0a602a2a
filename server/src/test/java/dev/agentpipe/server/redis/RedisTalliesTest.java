package dev.agentpipe.server.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.limits.SharedTallies.Take;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;
import redis.embedded.RedisServer;

/** The script, in a real Redis. Times are in hours, so that the seconds a test takes are nothing. */
final class RedisTalliesTest {

    private static final long HOUR = 3_600_000_000L;
    private static final long MOST = 100 * HOUR;

    /** What leaks out while a test runs. */
    private static final long SLACK = HOUR / 2;

    private static final AtomicInteger TESTS = new AtomicInteger();

    private static RedisServer server;
    private static int port;

    private Redis redis;
    private RedisClient client;
    private String prefix;
    private RedisTallies tallies;

    @BeforeAll
    static void serve() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        server = RedisServer.newRedisServer().port(port).bind("127.0.0.1").build();
        server.start();
    }

    @AfterAll
    static void end() throws IOException {
        server.stop();
    }

    @BeforeEach
    void connect() {
        redis = redis();
        client = RedisClient.builder().hostAndPort("127.0.0.1", port).build();
        prefix = "test" + TESTS.incrementAndGet() + ":";
        tallies = new RedisTallies(redis, prefix);
    }

    @AfterEach
    void disconnect() {
        client.close();
        redis.close();
    }

    @Test
    void take_untilItIsFull_thenNothing() {
        for (int i = 1; i <= 100; i++) {
            assertNear(i * HOUR, take("a", HOUR));
        }
        for (int i = 0; i < 3; i++) {
            assertNear(-1 - MOST, take("a", HOUR), "refused, and unchanged");
        }
        assertNear(HOUR, take("b", HOUR), "of another one");
    }

    @Test
    void time_emptiesIt_atTheMicrosecond() {
        long now = now();
        // Full but for what leaks out: a charge that has just room, and one that is a second too large.
        client.set(prefix + "a", Long.toString(now + MOST - HOUR));
        assertTrue(take("a", HOUR + 60_000_000) < 0, "a minute too early");
        assertTrue(take("a", HOUR) > 0);
        client.set(prefix + "a", Long.toString(now - HOUR));
        assertEquals(MOST, take("a", MOST), "what was emptied long ago is not more than empty");
    }

    @Test
    void numbers_keepAllTheirDigits() {
        long before = now();
        take("a", 123_456_789_012L);
        long stored = Long.parseLong(client.get(prefix + "a"));
        assertTrue(stored >= before + 123_456_789_012L && stored <= now() + 123_456_789_012L, "" + stored);
        assertNear(123_456_789_013L, take("a", 1));
    }

    @Test
    void entry_expiresWhenItIsEmpty() {
        take("a", 7 * HOUR);
        assertNear(7 * HOUR / 1_000, client.pttl(prefix + "a"));
        tallies.take(List.of(List.of(new Take("a", -7 * HOUR, MOST))));
        assertFalse(client.exists(prefix + "a"));
    }

    @Test
    void clockThatWasSetBack_doesNotKeepItFull() {
        client.set(prefix + "a", Long.toString(now() + 10_000 * HOUR));
        assertNear(-1 - MOST, take("a", HOUR));
        tallies.take(List.of(List.of(new Take("a", -HOUR, MOST))));
        assertNear(MOST, take("a", HOUR), "one was given back");
    }

    @Test
    void requests_areTakenInTheirOrder_eachAllOrNothing() {
        List<Long> answers = tallies.take(List.of(
                        List.of(new Take("a", 60 * HOUR, MOST)),
                        List.of(new Take("b", HOUR, MOST), new Take("a", 60 * HOUR, MOST), new Take("c", HOUR, MOST)),
                        List.of(new Take("a", 40 * HOUR, MOST), new Take("b", MOST, MOST)),
                        List.of(new Take("a", HOUR, MOST))))
                .orElseThrow();

        assertEquals(7, answers.size());
        assertNear(60 * HOUR, answers.get(0));
        assertNear(-1 - 60 * HOUR, answers.get(2));
        assertNear(MOST, answers.get(4));
        assertNear(MOST, answers.get(5), "b was not touched by the refused one");
        assertTrue(answers.get(6) < 0);
        assertFalse(client.exists(prefix + "c"));
    }

    @Test
    void nodes_atTheSameTime_neverTakeMoreThanThereIs() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.add(threads.submit(() -> {
                try (Redis another = redis()) {
                    RedisTallies own = new RedisTallies(another, prefix);
                    int taken = 0;
                    for (int j = 0; j < 100; j++) {
                        taken += own.take(List.of(List.of(new Take("a", HOUR, MOST))))
                                                .orElseThrow()
                                                .get(0)
                                        > 0
                                ? 1
                                : 0;
                    }
                    return taken;
                }
            }));
        }
        int taken = 0;
        for (Future<Integer> one : all) {
            taken += one.get();
        }
        threads.shutdown();
        assertEquals(100, taken);
    }

    @Test
    void redisWithoutTheScript_getsIt() {
        take("a", HOUR);
        client.scriptFlush();
        assertNear(2 * HOUR, take("a", HOUR));
    }

    @Test
    void manyTallies_atOnce_areTaken() {
        List<Take> many = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            many.add(new Take("t" + i, HOUR, MOST));
        }
        assertEquals(
                Collections.nCopies(5_000, HOUR), tallies.take(List.of(many)).orElseThrow());
    }

    private long take(String tally, long cost) {
        return tallies.take(List.of(List.of(new Take(tally, cost, MOST))))
                .orElseThrow()
                .get(0);
    }

    private long now() {
        @SuppressWarnings("unchecked")
        List<String> time = (List<String>) client.eval("return redis.call('TIME')");
        return Long.parseLong(time.get(0)) * 1_000_000 + Long.parseLong(time.get(1));
    }

    private static Redis redis() {
        return new Redis(URI.create("redis://127.0.0.1:" + port), null, Duration.ofSeconds(20));
    }

    private static void assertNear(long expected, long actual) {
        assertNear(expected, actual, "");
    }

    /** Some of it has leaked out meanwhile. */
    private static void assertNear(long expected, long actual, String why) {
        assertTrue(Math.abs(expected - actual) < SLACK, why + ": " + actual + " is not " + expected);
    }
}
