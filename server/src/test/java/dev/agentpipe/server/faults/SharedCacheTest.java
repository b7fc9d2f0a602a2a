package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestRedis;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two servers on one database and one Redis: each gives what the other has found, and none what is not true any more. */
final class SharedCacheTest {

    /** Each task has one: the common pool runs them one after the other on two processors, from Java 25 on. */
    private static final Executor THREADS = task -> new Thread(task).start();

    private static TestRedis redis;
    private static TestServer a;
    private static TestServer b;

    @BeforeAll
    static void start() {
        redis = TestRedis.start();
        a = TestServer.start(settings -> settings.redis(redis.url(), null));
        b = TestServer.on(a.databaseUrl(), settings -> settings.redis(redis.url(), null));
    }

    @AfterAll
    static void stop() {
        b.close();
        a.close();
        redis.close();
    }

    /** The database is changed past both, so that an answer tells where it comes from. */
    @Test
    void answerOfOneNode_isGivenByTheOther() {
        AtomicInteger conversations = new AtomicInteger();
        // A call to Redis that takes too long is given up, and not made for some seconds: then another one tells.
        Await.until("b has what a put into Redis", () -> {
            String id = "shared-" + conversations.incrementAndGet();
            String path = "/api/conversations/" + id;
            a.message(id, id, "as a has read it");
            Answer ofA = a.get(path);
            change(id);
            assertTrue(b.get(path + "?page=1").response().body().contains("as it is now"), "b looks into the database");

            Answer ofB = b.get(path);
            if (ofB.response().body().contains("as it is now")) {
                return false;
            }
            assertEquals(ofA.response().body(), ofB.response().body());
            assertEquals(ofA.header("ETag"), ofB.header("ETag"));
            assertEquals(304, b.get(path, "If-None-Match", ofA.header("ETag")).status());
            return true;
        });
    }

    private void change(String conversation) {
        try (Connection connection = a.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "update messages set content = 'as it is now' where conversation_id = '" + conversation + "'");
        } catch (SQLException failed) {
            throw new AssertionError(failed);
        }
    }

    @Test
    void nodeThatHasSeenAnEvent_neverAnswersWithLess() throws Exception {
        writeAndRead("seen", 120, Map.of());
    }

    @Test
    void redisFlushedAndKilledAndBack_answersStayTrue() throws Exception {
        writeAndRead("faults", 120, Map.of(20, redis::flush, 40, redis::kill, 80, redis::restart, 100, redis::flush));
        Await.until(
                "b is healthy again",
                () -> b.get("/api/health").json().get("status").asString().equals("healthy"));
        AtomicInteger after = new AtomicInteger();
        Await.until("Redis is used again", () -> {
            a.message("after", "after-" + after.incrementAndGet(), "x");
            a.get("/api/conversations/after");
            return redis.size() > 0;
        });
    }

    /**
     * Messages come to one node, which is asked all the time and so fills Redis with answers of any age; whatever the other
     * one has seen on its stream is in its answers.
     *
     * @param conversation a new one, which is the first of the list
     * @param faults what is done when the other node has seen so many
     */
    private void writeAndRead(String conversation, int messages, Map<Integer, Runnable> faults) throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        try (RawStream seenByB = b.stream("/api/realtime/stream?conversationId=" + conversation)) {
            seenByB.block();
            a.message(conversation, conversation + 1, "x");
            CompletableFuture<Void> writer = CompletableFuture.runAsync(
                    () -> {
                        for (int i = 2; i <= messages; i++) {
                            a.message(conversation, conversation + i, "x");
                            assertShows(conversation, i, a);
                        }
                    },
                    THREADS);
            CompletableFuture<Void> asker = CompletableFuture.runAsync(
                    () -> {
                        while (!ended.get()) {
                            assertShows(conversation, 1, a);
                            assertShows(conversation, 1, b);
                        }
                    },
                    THREADS);
            try {
                for (int seen = 1; seen <= messages; seen++) {
                    seenByB.event();
                    assertShows(conversation, seen, b);
                    faults.getOrDefault(seen, () -> {}).run();
                }
                writer.get();
            } finally {
                ended.set(true);
            }
            asker.get();
        }
        assertShows(conversation, messages, a);
        assertShows(conversation, messages, b);
    }

    /** In the answer of the conversation, and in the list. */
    private static void assertShows(String conversation, int messages, TestServer node) {
        Answer one = node.get("/api/conversations/" + conversation + "?includeMessages=false");
        assertEquals(200, one.status(), one::toString);
        assertTrue(one.json().get("messageCount").intValue() >= messages, one::toString);
        Answer list = node.get("/api/conversations");
        assertEquals(200, list.status(), list::toString);
        assertTrue(
                list.json().at("/conversations/0/messageCount").intValue() >= messages,
                () -> messages + " are seen, but not in " + list);
    }

    @Test
    void deletionOnOneNode_isGoneFromTheOther() throws IOException {
        try (RawStream seenByB = b.stream("/api/realtime/stream?conversationId=gone")) {
            seenByB.block();
            a.message("gone", "gone-1", "x");
            seenByB.event();
        }
        List<String> paths = List.of(
                "/api/conversations/gone",
                "/api/conversations/gone/messages",
                "/api/conversations",
                "/api/messages/recent");
        try (RawStream seenByB = b.stream("/api/realtime/stream?types=conversation.deleted")) {
            seenByB.block();
            for (TestServer node : List.of(a, b, a)) {
                for (String path : paths) {
                    assertTrue(node.get(path).response().body().contains("gone"), path);
                }
            }

            HttpRequest delete = HttpRequest.newBuilder(a.uri("/api/conversations/gone"))
                    .header("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                    .DELETE()
                    .build();
            assertEquals(204, a.send(delete).status());
            assertTrue(seenByB.event().contains("\"conversation_id\":\"gone\""));
        }
        for (TestServer node : List.of(b, a)) {
            assertEquals(404, node.get(paths.get(0)).status());
            for (String path : paths) {
                assertFalse(node.get(path).response().body().contains("gone"), path);
            }
        }
    }
}
