package dev.agentpipe.server.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Settings.RateLimits;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Limits of a server that runs, seen from outside. */
final class LimitsTest {

    private static final String UPLOAD = "/api/sessions/upload";
    private static final String LIST = "/api/conversations?limit=1";

    private static TestServer server;

    /** 20 events in an hour, so that nothing leaks out however long a test takes. */
    @BeforeAll
    static void start() {
        server = TestServer.start(
                settings -> settings.rateLimits(new RateLimits(Duration.ofHours(1), 20, 3, 5, 2, AddressRanges.NONE))
                        .trustedProxies(AddressRanges.LOOPBACK));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void eventsAboveTheQuota_get429WithAllHeaders_andNobodyElse() throws Exception {
        List<Answer> answers =
                parallel(IntStream.range(0, 40).<Supplier<Answer>>mapToObj(i -> () -> message("burst", i)));

        List<Answer> refused =
                answers.stream().filter(one -> one.status() == 429).toList();
        long stored = answers.stream().filter(one -> one.status() == 201).count();
        assertEquals(20, stored);
        assertEquals(20, refused.size());
        for (Answer one : refused) {
            assertEquals("rate_limited", one.json().get("code").stringValue());
            assertEquals("\"ingest\";q=20;w=3600", one.header("RateLimit-Policy"));
            assertTrue(one.header("RateLimit").matches("\"ingest\";r=0;t=1[0-9]{2}"), one.header("RateLimit"));
            assertTrue(one.header("Retry-After").matches("1[0-9]{2}"), one.header("Retry-After"));
        }
        assertEquals(stored, count("burst"), "nothing of a refused one is stored");
        assertEquals(201, message("burst-other", 0).status(), "another conversation has a quota of its own");
        assertEquals(
                201,
                server.ingest(
                                TestServer.messageBody("burst", "by-another", "x"),
                                "Authorization",
                                "Bearer " + TestServer.ADMIN_KEY)
                        .status(),
                "and so has another key");
    }

    @Test
    void batch_countsItsEvents_andIsRefusedAsAWhole() throws Exception {
        assertEquals(200, batch("batch", 0, 15).status());
        assertEquals(200, batch("batch-other", 0, 1).status());
        String mixed =
                "[" + TestServer.messageBody("batch-other", "mixed", "x") + "," + messages("batch", 15, 15) + "]";
        Answer refused = server.ingest(mixed);

        assertEquals(429, refused.status(), refused::toString);
        assertEquals(15, count("batch"));
        assertEquals(1, count("batch-other"));
        assertEquals(200, batch("batch-other", 1, 19).status(), "the refused one took nothing of it");
    }

    @Test
    void batchAboveTheQuota_isTakenWhole_ifThereIsAllOfIt() throws Exception {
        assertEquals(200, batch("large", 0, 300).status());
        assertEquals(300, count("large"));
        assertEquals(429, batch("large", 300, 300).status());
    }

    @Test
    void invalidEvents_doNotCount() {
        for (int i = 0; i < 40; i++) {
            assertEquals(
                    400,
                    server.ingest("{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"invalid\"}}")
                            .status());
        }
        assertEquals("\"ingest\";r=19;t=180", message("invalid", 0).header("RateLimit"));
    }

    @Test
    void uploads_countForTheKey() {
        for (int i = 0; i < 3; i++) {
            assertEquals(400, upload(TestServer.KEY).status());
        }
        Answer refused = refused("upload", () -> upload(TestServer.KEY));
        assertEquals("\"upload\";q=3;w=60", refused.header("RateLimit-Policy"));
        assertTrue(refused.header("Retry-After").matches("1?[1-9]|[12]0"), refused.header("Retry-After"));
        for (int i = 0; i < 10; i++) {
            assertEquals(400, upload(TestServer.ADMIN_KEY).status(), "an administrator moves in");
        }
        assertEquals(401, upload("ap_test_nobody-has-this-key").status());
    }

    @Test
    void reads_countForTheKey_orForTheAddress() {
        for (String path : List.of(
                LIST,
                "/api/messages/recent",
                "/api/conversations/x",
                "/api/conversations/x/export",
                "/api/metrics/summary")) {
            assertTrue(read(path, "192.0.2.1").status() < 429);
        }
        for (String path : List.of(
                LIST,
                "/api/conversations/x",
                "/api/conversations/x/messages",
                "/api/conversations/x/export",
                "/api/messages/recent",
                "/api/search?type=models",
                "/api/metrics/summary",
                "/api/realtime/stats")) {
            Answer refused = refused(path, () -> read(path, "192.0.2.1"));
            assertEquals("\"read\";q=5;w=60", refused.header("RateLimit-Policy"));
        }
        assertEquals(200, read(LIST, "192.0.2.2").status());
        assertEquals(
                200,
                server.get(LIST, "X-Forwarded-For", "192.0.2.1", "Authorization", "Bearer " + TestServer.KEY)
                        .status(),
                "a key is counted for itself");
        for (String free : List.of("/api/health", "/api/health/live", "/api/openapi.json", "/api/docs")) {
            Answer answer = read(free, "192.0.2.1");
            assertEquals(200, answer.status(), free);
            assertNull(answer.header("RateLimit"), free);
        }
    }

    @Test
    void addressesOfOneNetworkOfIpv6_areOne() {
        for (int i = 0; i < 5; i++) {
            assertEquals(200, read(LIST, "2001:db8:1:1::" + i).status());
        }
        refused(LIST, () -> read(LIST, "2001:db8:1:1:ffff::1"));
        assertEquals(200, read(LIST, "2001:db8:1:2::1").status());
    }

    @Test
    void streams_countForTheAddressWhileTheyAreOpen() throws Exception {
        String[] from = {"X-Forwarded-For", "192.0.2.9"};
        try (RawStream one = server.stream("/api/stream", from)) {
            one.block();
            RawStream two = server.stream("/api/stream", from);
            two.block();
            Answer refused = server.get("/api/stream", from);
            assertEquals(429, refused.status());
            assertTrue(Integer.parseInt(refused.header("Retry-After")) >= 1);
            try (RawStream told =
                    server.stream("/api/stream", "X-Forwarded-For", "192.0.2.9", "Accept", "text/event-stream")) {
                assertTrue(told.block().contains("event: overloaded"), "an EventSource gives up at any other status");
            }
            assertTrue(isLetIn("192.0.2.10"));
            two.close();
            Await.until("its place is free", () -> isLetIn("192.0.2.9"));
        }
    }

    private static boolean isLetIn(String address) {
        try (RawStream stream =
                server.stream("/api/stream", "X-Forwarded-For", address, "Accept", "text/event-stream")) {
            String first = stream.block();
            assertTrue(first.contains("connected") || first.contains("event: overloaded"), first); // with status 200
            return first.contains("connected");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** On a slow machine something may have leaked out. */
    private static Answer refused(String what, Supplier<Answer> request) {
        for (int tries = 0; tries < 3; tries++) {
            Answer answer = request.get();
            if (answer.status() == 429) {
                return answer;
            }
        }
        throw new AssertionError("not refused: " + what);
    }

    private static Answer read(String path, String address) {
        return server.get(path, "X-Forwarded-For", address);
    }

    private static Answer upload(String key) {
        return server.send(HttpRequest.newBuilder(server.uri(UPLOAD))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{}"))
                .build());
    }

    private static Answer message(String conversation, int number) {
        return server.ingest(TestServer.messageBody(conversation, conversation + "-" + number, "x"));
    }

    private static Answer batch(String conversation, int from, int count) {
        return server.ingest("[" + messages(conversation, from, count) + "]");
    }

    private static String messages(String conversation, int from, int count) {
        return String.join(
                ",",
                IntStream.range(from, from + count)
                        .mapToObj(i -> TestServer.messageBody(conversation, conversation + "-" + i, "x"))
                        .toList());
    }

    private static long count(String conversation) throws Exception {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(
                        "select count(*) from messages where conversation_id = '" + conversation + "'")) {
            result.next();
            return result.getLong(1);
        }
    }

    private static List<Answer> parallel(Stream<Supplier<Answer>> calls) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(40);
        try {
            List<Future<Answer>> pending = new ArrayList<>();
            calls.forEach(call -> pending.add(threads.submit(call::get)));
            List<Answer> answers = new ArrayList<>();
            for (Future<Answer> one : pending) {
                answers.add(one.get());
            }
            return answers;
        } finally {
            threads.shutdown();
        }
    }
}
