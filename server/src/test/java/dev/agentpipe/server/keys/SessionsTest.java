package dev.agentpipe.server.keys;

import static dev.agentpipe.server.keys.KeyMaker.bearer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two nodes on one database, with reading closed: what browsers use instead of a key. */
final class SessionsTest {

    private static final String STREAM = "/api/realtime/stream";
    private static final String LIST = "/api/conversations";

    private final String url = TestPostgres.newDatabase();
    private final TestServer a = TestServer.on(url, UnaryOperator.identity());
    private final TestServer b = TestServer.on(url, UnaryOperator.identity());
    private final KeyMaker keys = new KeyMaker(url);
    private ApiKey reader;

    @BeforeEach
    void closeReading() {
        reader = keys.make("read");
        for (TestServer server : List.of(a, b)) {
            Await.until("reading is closed", () -> server.get(LIST).status() == 401);
        }
    }

    @AfterEach
    void stop() {
        a.close();
        b.close();
    }

    private static Answer send(TestServer server, String method, String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri(path)).method(method, BodyPublishers.noBody());
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return server.send(request.build());
    }

    private static String logIn(TestServer server, ApiKey key) {
        Answer answer = send(server, "POST", "/api/session", bearer(key));
        assertEquals(201, answer.status(), answer::toString);
        return answer.header("Set-Cookie").split(";")[0];
    }

    private static int list(TestServer server, String cookie) {
        return server.get(LIST, "Cookie", cookie).status();
    }

    private void sql(String statement) throws Exception {
        try (Connection connection = TestPostgres.connect(url);
                Statement run = connection.createStatement()) {
            run.execute(statement);
        }
    }

    @Test
    void session_isACookieThatNoScriptSeesAndNoOtherSiteSends() {
        Answer answer = send(a, "POST", "/api/session", bearer(reader));

        assertEquals(201, answer.status());
        assertEquals(reader.toString(), answer.json().get("key").stringValue());
        assertEquals("[\"read\"]", answer.json().get("scopes").toString());
        String cookie = answer.header("Set-Cookie");
        List<String> attributes = List.of(cookie.split("; "));
        assertTrue(attributes.get(0).matches("agentpipe_session=[A-Za-z0-9_-]{48}"), cookie);
        assertTrue(attributes.containsAll(List.of("Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=43200")), cookie);
        assertFalse(cookie.contains("Secure"), "over HTTP a browser would not keep it");
        assertFalse(answer.response().body().contains(attributes.get(0).substring(18)), "in the cookie alone");

        Answer who = a.get("/api/session", "Cookie", attributes.get(0));
        assertEquals(
                "{\"readingOpen\":false,\"key\":\"" + reader + "\",\"scopes\":[\"read\"]}",
                who.response().body());
        assertEquals(
                "{\"readingOpen\":false,\"key\":null,\"scopes\":[]}",
                a.get("/api/session").response().body());
    }

    @Test
    void session_isGoodOnEveryNodeForReadingAlone() throws Exception {
        String cookie = logIn(a, new ApiKey(TestServer.KEY));
        for (TestServer server : List.of(a, b)) {
            assertEquals(200, list(server, cookie));
            try (RawStream stream = server.stream(STREAM, "Cookie", cookie)) {
                assertEquals(200, stream.status());
            }
            assertEquals(
                    403, send(server, "POST", "/api/ingest", "Cookie", cookie).status());
            assertEquals(
                    401, send(server, "POST", "/api/session", "Cookie", cookie).status(), "not for ever");
            assertEquals(
                    401,
                    send(server, "POST", "/api/realtime/ticket", "Cookie", cookie)
                            .status());
        }
        ApiKey writer = keys.make("ingest");
        Await.until(
                "known", () -> send(a, "POST", "/api/session", bearer(writer)).status() == 403);
    }

    @Test
    void session_ofAnAdministrator_deletesFromItsOwnPagesAlone() {
        String cookie = logIn(a, new ApiKey(TestServer.ADMIN_KEY));
        String none = "/api/conversations/none";
        String own = "http://localhost:" + a.port();
        assertEquals(404, send(a, "DELETE", none, "Cookie", cookie).status());
        assertEquals(
                404,
                send(a, "DELETE", none, "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
                        .status());
        assertEquals(
                401,
                send(a, "DELETE", none, "Cookie", cookie, "Sec-Fetch-Site", "same-site")
                        .status());
        assertEquals(
                401,
                send(a, "DELETE", none, "Cookie", cookie, "Sec-Fetch-Site", "cross-site")
                        .status());
        assertEquals(
                401,
                send(a, "DELETE", none, "Cookie", cookie, "Origin", own + "0").status());
        assertEquals(
                401, send(a, "DELETE", none, "Cookie", cookie, "Origin", "null").status());
        String host = a.uri("/").getAuthority();
        assertEquals(
                404,
                send(a, "DELETE", none, "Cookie", cookie, "Origin", "http://" + host)
                        .status());
    }

    @Test
    void session_endedOrOfARevokedKey_isWorthNothingOnAllNodes() throws Exception {
        String first = logIn(a, reader);
        String second = logIn(b, reader);
        try (RawStream ofFirst = b.stream(STREAM, "Cookie", first);
                RawStream ofSecond = a.stream(STREAM, "Cookie", second)) {
            ofFirst.block();
            ofSecond.block();
            Answer out = send(a, "DELETE", "/api/session", "Cookie", first);
            assertEquals(204, out.status());
            assertTrue(out.header("Set-Cookie").startsWith("agentpipe_session=; "), out.header("Set-Cookie"));
            assertTrue(out.header("Set-Cookie").contains("01-Jan-1970"), out.header("Set-Cookie"));
            assertEquals(401, list(a, first), "here at once, a copy of the cookie, too");
            Await.until("ended there", () -> list(b, first) == 401);
            awaitEnd(ofFirst);
            assertEquals(200, list(a, second), "another one of the same key");

            keys.revoke(reader);
            Await.until("ended with its key", () -> list(a, second) == 401 && list(b, second) == 401);
            awaitEnd(ofSecond);
        }
        assertEquals(204, send(a, "DELETE", "/api/session").status(), "without one");
    }

    private static void awaitEnd(RawStream stream) throws Exception {
        for (String block = stream.block(); block != null; block = stream.block()) {
            assertFalse(block.contains("message.created"), block);
        }
    }

    @Test
    void session_expiredOrMadeUp_isRefused() throws Exception {
        String cookie = logIn(a, reader);
        sql("update key_tokens set expires_at = now()");
        assertEquals(401, list(b, cookie), "b has not seen it before");

        String made = "agentpipe_session=" + "A".repeat(48);
        String changed = cookie.substring(0, cookie.length() - 1) + (cookie.endsWith("A") ? "B" : "A");
        for (String bad : List.of(made, changed, "agentpipe_session=", "agentpipe_session=ü", cookie + "x")) {
            assertEquals(401, list(a, bad), bad);
        }
        assertEquals(
                401,
                a.get(LIST, "Cookie", logIn(a, reader), "Authorization", "Bearer wrong-key")
                        .status(),
                "what is said aloud counts");
    }

    @Test
    void ticket_opensOneStreamOnAnyNode() throws Exception {
        String ticket = ticket();
        try (RawStream stream = b.stream(STREAM + "?ticket=" + ticket)) {
            stream.block();
            a.message("c", "m1", "x");
            stream.event();
            assertEquals(401, b.stream(STREAM + "?ticket=" + ticket).status(), "single use");
            assertEquals(401, a.stream(STREAM + "?ticket=" + ticket).status(), "on all nodes");
            assertEquals(401, a.get(LIST + "?ticket=" + ticket()).status(), "for streams alone");

            keys.revoke(reader);
            awaitEnd(stream);
        }
        assertEquals(401, a.stream(STREAM + "?ticket=" + "A".repeat(48)).status());
        assertEquals(401, a.stream(STREAM + "?ticket=").status());
    }

    @Test
    void ticket_tooLateOrOfManyAtOnce_isRefused() throws Exception {
        String late = ticket();
        sql("update key_tokens set expires_at = now()");
        assertEquals(401, a.stream(STREAM + "?ticket=" + late).status());

        String wanted = ticket();
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Integer>> tries = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                TestServer server = i % 2 == 0 ? a : b;
                tries.add(() -> {
                    try (RawStream stream = server.stream(STREAM + "?ticket=" + wanted)) {
                        return stream.status();
                    }
                });
            }
            int opened = 0;
            for (Future<Integer> each : threads.invokeAll(tries)) {
                opened += each.get() == 200 ? 1 : 0;
            }
            assertEquals(1, opened);
        } finally {
            threads.shutdown();
        }
    }

    private String ticket() {
        Answer answer = send(a, "POST", "/api/realtime/ticket", bearer(reader));
        assertEquals(201, answer.status(), answer::toString);
        assertNull(answer.header("Set-Cookie"));
        return answer.json().get("ticket").stringValue();
    }
}
