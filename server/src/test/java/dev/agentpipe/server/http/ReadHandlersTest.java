package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.MemoryEventLog;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.cache.Freshness;
import dev.agentpipe.server.cache.ResponseCache;
import dev.agentpipe.server.cache.SharedCache;
import io.undertow.Undertow;
import io.undertow.server.handlers.PathTemplateHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With a log in memory, and reads that count how often they are asked. */
final class ReadHandlersTest {

    private static final String A = "/conversations/a";

    private final MemoryEventLog log = new MemoryEventLog("test", 10_000);
    private final AtomicInteger lists = new AtomicInteger();
    private final AtomicInteger details = new AtomicInteger();
    private final AtomicInteger stats = new AtomicInteger();
    private final AtomicInteger slow = new AtomicInteger();
    private final CountDownLatch released = new CountDownLatch(1);
    private final Freshness freshness = new Freshness(0, (records, through) -> {});
    private final LogTail tail = new LogTail(log, 0, Duration.ofMinutes(1), freshness).start();
    private final GroupCommit groupCommit = new GroupCommit(log, tail, GroupCommit.Limits.DEFAULT).start();
    private final Reads reads = new Reads(2);
    private final Undertow undertow;
    private final HttpClient client = HttpClient.newHttpClient();

    ReadHandlersTest() {
        Access access = new Access(List.of(new ApiKey(TestServer.KEY)), List.of(new ApiKey(TestServer.ADMIN_KEY)));
        ResponseCache cache = new ResponseCache(freshness, SharedCache.NONE, "x:");
        ReadHandlers handlers = new ReadHandlers(reads, access, cache, tail, "test");
        undertow = Undertow.builder()
                .setIoThreads(2)
                .setWorkerThreads(2)
                .addHttpListener(0, "127.0.0.1")
                .setHandler(new RequestId(new PathTemplateHandler()
                        .add("/list", new Resource().onGet(handlers.of(this::list)))
                        .add("/conversations/{id}", new Resource().onGet(handlers.ofConversation(this::detail)))
                        .add("/stats", new Resource().onGet(handlers.uncached(this::stats)))
                        .add("/bad", new Resource().onGet(handlers.of(request -> {
                                    throw BadRequest.of("limit", "is bad");
                                })))
                        .add("/away", new Resource().onGet(handlers.of(request -> {
                                    throw new LogUnavailableException("away", null);
                                })))
                        .add("/defect", new Resource().onGet(handlers.of(request -> {
                                    throw new IllegalStateException("a defect, on purpose");
                                })))
                        .add("/none", new Resource().onGet(handlers.of(request -> Answer.notFound("none such"))))
                        .add("/slow", new Resource().onGet(handlers.uncached(this::slow)))))
                .build();
        undertow.start();
    }

    private Answer list(ReadRequest request) {
        lists.incrementAndGet();
        return Answer.withStreamPosition(Map.of("head", log.state().head()));
    }

    private Answer detail(ReadRequest request) {
        details.incrementAndGet();
        return Answer.withStreamPosition(Map.of("id", request.path("id")));
    }

    private Answer stats(ReadRequest request) {
        return Answer.json(Map.of("n", stats.incrementAndGet()));
    }

    private Answer slow(ReadRequest request) {
        slow.incrementAndGet();
        try {
            released.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Answer.json(Map.of());
    }

    @AfterEach
    void stop() {
        released.countDown();
        groupCommit.close();
        undertow.stop();
        reads.close();
        tail.close();
    }

    @Test
    void sameQuestion_withNothingNew_isLookedUpOnce() throws Exception {
        HttpResponse<String> first = get("/list");
        HttpResponse<String> second = get("/list");

        assertEquals("{\"streamPosition\":\"test-0\",\"head\":0}", first.body());
        assertEquals(first.body(), second.body());
        assertEquals(first.headers().map().get("etag"), second.headers().map().get("etag"));
        assertEquals(1, lists.get());
        get("/list?page=2");
        assertEquals(2, lists.get(), "another question");
    }

    /** The one promise: an answer is never older than what was acknowledged before it was asked for. */
    @Test
    void list_askedAfterAnAcknowledgement_hasIt() throws Exception {
        for (int i = 1; i <= 300; i++) {
            append("c" + i % 7, "m" + i);
            assertEquals(
                    "{\"streamPosition\":\"test-" + i + "\",\"head\":" + i + "}",
                    get("/list").body());
        }
    }

    /** Else a thousand pages that reload at each event would be a thousand looks into the database. */
    @Test
    void sameQuestion_askedByManyAtOnce_isLookedUpByFew() throws Exception {
        for (int i = 0; i < 2; i++) {
            client.sendAsync(request("GET", "/slow"), BodyHandlers.ofString());
        }
        Await.until("both threads wait", () -> slow.get() == 2);
        List<CompletableFuture<HttpResponse<String>>> same = IntStream.range(0, 100)
                .mapToObj(i -> client.sendAsync(request("GET", "/list"), BodyHandlers.ofString()))
                .toList();
        Await.until("all have asked", () -> reads.waiting() == 100);
        append("a", "m1"); // which none of them needs to know
        released.countDown();
        for (CompletableFuture<HttpResponse<String>> one : same) {
            assertEquals(200, one.get().statusCode());
        }
        assertTrue(lists.get() <= 2, lists + " looks by two threads");
    }

    @Test
    void conversation_isLookedUpAgainOnlyAfterItsOwnEvents() throws Exception {
        append("a", "m1");
        HttpResponse<String> first = get(A);
        append("b", "m2");
        awaitTail();
        HttpResponse<String> second = get(A);
        assertEquals(1, details.get());
        assertEquals("{\"streamPosition\":\"test-1\",\"id\":\"a\"}", first.body());
        assertEquals("{\"streamPosition\":\"test-2\",\"id\":\"a\"}", second.body(), "from here it misses nothing");
        assertEquals(etag(first), etag(second));

        append("a", "m3");
        get(A);
        assertEquals(2, details.get());
    }

    @Test
    void knownTag_inAnyForm_isAnsweredWith304() throws Exception {
        HttpResponse<String> first = get(A);
        String tag = etag(first);
        assertTrue(tag.matches("W/\"[A-Za-z0-9_-]{22}\""), tag);
        assertEquals(
                "private, no-cache", first.headers().firstValue("cache-control").orElseThrow());

        for (String known : List.of(tag, tag.substring(2), "*", "\"x\", " + tag, "W/\"y\" , " + tag + ",\"z\"")) {
            HttpResponse<String> answer = get(A, "If-None-Match", known);
            assertEquals(304, answer.statusCode(), known);
            assertEquals("", answer.body());
            assertEquals(tag, etag(answer));
        }
        for (String other : List.of("\"x\"", "W/\"x\"", tag.substring(0, tag.length() - 2), "")) {
            assertEquals(200, get(A, "If-None-Match", other).statusCode(), other);
        }
    }

    @Test
    void head_hasTheHeadersAndNoBody() throws Exception {
        HttpResponse<String> get = get(A);
        HttpResponse<String> head = send("HEAD", A);

        assertEquals(200, head.statusCode());
        assertEquals("", head.body());
        assertEquals(etag(get), etag(head));
        assertEquals(get.headers().firstValue("content-length"), head.headers().firstValue("content-length"));
    }

    @Test
    void administrator_neitherGetsNorLeavesACachedAnswer() throws Exception {
        get(A);
        get(A, "Authorization", "Bearer " + TestServer.ADMIN_KEY);
        get(A, "Authorization", "Bearer " + TestServer.ADMIN_KEY);
        assertEquals(3, details.get());
        get(A, "Authorization", "Bearer " + TestServer.KEY);
        assertEquals(3, details.get(), "this one sees what all see");
    }

    @Test
    void answerOfAMoment_isNeverKept() throws Exception {
        assertNotEquals(get("/stats").body(), get("/stats").body());
    }

    @Test
    void failures_areProblems_andAreNotKept() throws Exception {
        assertProblem(400, "invalid_parameter", get("/bad"));
        assertTrue(get("/bad").body().contains("{\"pointer\":\"limit\",\"detail\":\"is bad\"}"));
        assertProblem(503, "database_unavailable", get("/away"));
        assertProblem(500, "internal_error", get("/defect"));
        assertProblem(404, "not_found", get("/none"));
        assertProblem(400, "invalid_parameter", get("/conversations/" + "x".repeat(256)));
        assertProblem(400, "invalid_parameter", get("/conversations/" + "x".repeat(10_000)));
        assertProblem(400, "invalid_parameter", get("/conversations/a%00b"));
        assertEquals(200, get("/conversations/" + "x".repeat(255)).statusCode());
    }

    @Test
    void tooMuchToLookUp_isRefused_andTheRestGoesOn() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> all = IntStream.range(0, 600)
                .mapToObj(i -> client.sendAsync(request("GET", "/slow"), BodyHandlers.ofString()))
                .toList();
        HttpResponse<String> refused = all.stream()
                .reduce((a, b) -> a.applyToEither(b, first -> first))
                .orElseThrow()
                .get();
        assertProblem(503, "too_many_reads", refused);
        assertTrue(refused.headers().firstValue("retry-after").isPresent());

        released.countDown();
        int served = 0;
        for (CompletableFuture<HttpResponse<String>> one : all) {
            served += one.get().statusCode() == 200 ? 1 : 0;
        }
        assertTrue(served >= 514, "two at a time, and 512 that wait: " + served);
    }

    private static void assertProblem(int status, String code, HttpResponse<String> answer) {
        assertEquals(status, answer.statusCode(), answer.body());
        assertTrue(answer.body().contains("\"code\":\"" + code + "\""), answer.body());
        assertEquals("no-store", answer.headers().firstValue("cache-control").orElseThrow());
    }

    private void append(String conversation, String id) throws InterruptedException {
        EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
        ReadResult.Events read = (ReadResult.Events)
                reader.readJson(TestServer.messageBody(conversation, id, "x").getBytes(StandardCharsets.UTF_8));
        CountDownLatch done = new CountDownLatch(1);
        groupCommit.append(
                List.of(((ReadResult.Item.Accepted) read.items().get(0)).event()),
                Runnable::run,
                outcome -> done.countDown());
        done.await();
    }

    private void awaitTail() {
        Await.until("the tail has read", () -> freshness.through() >= tail.seen());
    }

    private static String etag(HttpResponse<String> answer) {
        return answer.headers().firstValue("etag").orElseThrow();
    }

    private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        return send("GET", path, headers);
    }

    private HttpResponse<String> send(String method, String path, String... headers)
            throws IOException, InterruptedException {
        return client.send(request(method, path, headers), BodyHandlers.ofString());
    }

    private HttpRequest request(String method, String path, String... headers) {
        int port = ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .version(HttpClient.Version.HTTP_1_1)
                .method(method, HttpRequest.BodyPublishers.noBody());
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return request.build();
    }
}
