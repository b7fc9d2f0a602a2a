package dev.agentpipe.server.hardening;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Requests that are valid HTTP, and meant to do harm. */
final class HostileRequestsTest {

    private static TestServer server;
    private static Stored stored;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        stored = new Stored(server);
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    private static Answer post(String path, String body, String... headers) throws IOException {
        return RawHttp.ask(server.port(), RawHttp.head("POST " + path + " HTTP/1.1", body.length(), headers) + body);
    }

    private static String message(String members) {
        return "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"data\":{\"conversation_id\":\"bomb\","
                + "\"agent_type\":\"claude\",\"content\":\"x\"" + members + "}}";
    }

    /** Numbers of which a few bytes would become gigabytes, and what is slow to read or to hold. */
    @Test
    void bombs_ofJson_areRefusedOrHarmless() throws IOException {
        String before = stored.fingerprint();
        List<String> refused = List.of(
                message(",\"cost\":1e999999999"),
                message(",\"cost\":1e-999999999"),
                message(",\"cost\":" + "9".repeat(900_000)),
                message(",\"tokens_used\":1e999999999"),
                message(",\"sequence_number\":" + "9".repeat(900_000)),
                "[".repeat(1_000_000),
                "{\"a\":".repeat(100_000),
                message(",\"a\":" + "[{\"b\":".repeat(50) + "1" + "}]".repeat(50)),
                "\"" + "\\u0000".repeat(160_000) + "\"",
                "[" + "[],".repeat(300_000) + "[]]",
                "{" + "\"type\":\"x\",".repeat(80_000) + "\"type\":\"x\"}");
        for (String bomb : refused) {
            for (String path : List.of("/api/ingest", "/api/sessions/upload")) {
                Answer answer = post(path, bomb);
                assertTrue(
                        answer.status() == 400 || answer.status() == 413,
                        () -> path + " " + bomb.substring(0, 20) + ": " + answer);
                assertTrue(post("/api/search", bomb).status() < 500, "what nobody knows is ignored");
                assertTrue(answer.body().length() < 200_000, "an answer that is larger than what asked for it");
            }
        }
        for (String search : List.of(
                "{\"filters\":{\"minCost\":1e999999999}}",
                "{\"page\":1e999999999}",
                "{\"filters\":{\"minTokens\":1e400}}",
                "{\"query\":\"" + "*\\\"".repeat(400) + "\"}")) {
            assertTrue(post("/api/search", search).status() < 500, search);
        }
        for (String lines : List.of("\n".repeat(8 << 20), " \n".repeat(1 << 20))) {
            assertEquals(
                    200,
                    post("/api/ingest", lines, "Content-Type", "application/x-ndjson")
                            .status());
        }
        assertEquals(before, stored.fingerprint());
    }

    /** In a payload anything may stand; nobody computes with it. */
    @Test
    void numbers_thatNobodyAsksFor_staySmall() throws IOException {
        String names =
                IntStream.range(0, 20_000).mapToObj(i -> "\"AaBB" + i + "\":1").collect(Collectors.joining(","));
        // "Aa" and "BB" have the same hash, and so has whatever is made of them.
        String colliding = IntStream.range(0, 1 << 12)
                .mapToObj(i -> "\""
                        + Integer.toBinaryString(i | 1 << 12).replace("0", "Aa").replace("1", "BB") + "\":1")
                .collect(Collectors.joining(","));
        for (String members : List.of(
                ",\"x\":1e999999999",
                ",\"x\":{" + names + "}",
                ",\"x\":{" + colliding + "}",
                ",\"x\":-0.0e-999999999")) {
            int status = post("/api/ingest", message(members)).status();
            assertTrue(status == 201 || status == 400, members.substring(0, 10) + ": " + status);
        }
        assertEquals(200, server.get("/api/conversations/bomb").status());
        assertEquals(
                200, server.get("/api/conversations/bomb/export?format=json").status());
        server.send(java.net.http.HttpRequest.newBuilder(server.uri("/api/conversations/bomb"))
                .DELETE()
                .header("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                .build());
    }

    @Test
    void methods_thatWouldMakeAProxyOfIt_areRefused() throws IOException {
        for (String line : List.of(
                "CONNECT evil.test:443",
                "TRACE /api/ingest",
                "TRACK /api/ingest",
                "PROPFIND /api/ingest",
                "GET http://evil.test/")) {
            String secret = "X-Secret: do-not-repeat";
            Answer answer = RawHttp.ask(
                    server.port(),
                    line + " HTTP/1.1\r\nHost: evil.test\r\n" + secret + "\r\nContent-Length: 0\r\n\r\n");
            assertTrue(answer.status() == 400 || answer.status() == 404 || answer.status() == 405, answer::toString);
            assertFalse(answer.toString().contains("do-not-repeat"));
        }
    }

    @Test
    void upgrade_isIgnored() throws IOException {
        for (String protocol : List.of("h2c", "websocket", "TLS/1.0", "HTTP/3")) {
            try (RawHttp http = RawHttp.open(server.port())) {
                String head = "GET /api/health/live HTTP/1.1\r\nHost: x\r\nUpgrade: " + protocol
                        + "\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
                Answer answer = http.write(head).read();
                assertEquals(200, answer.status());
                assertNull(answer.header("Upgrade"));
                assertEquals(200, http.write(head).read().status(), "the connection goes on as it was");
            }
        }
    }

    /** A browser sends all cookies of the host; those of others are none of this server's business. */
    @Test
    void cookies_ofOthers_doNoHarm() throws IOException {
        for (String cookie : List.of(
                "name=\u00c3\u00a9",
                "a=\"b; c=\"d",
                "=;;;=,",
                "$Version=1; $Path=/",
                "agentpipe_session",
                "agentpipe_session=",
                "agentpipe_session=\"x",
                "a=b; ".repeat(1_000))) {
            String head = "GET /api/session HTTP/1.1\r\nHost: x\r\nCookie: " + cookie + "\r\n\r\n";
            assertEquals(200, RawHttp.ask(server.port(), head).status(), cookie);
        }
    }

    @Test
    void header_ofAnAnswer_cannotBeSplit() throws IOException {
        for (String path : List.of(
                "/api/conversations/a%0d%0aX-Injected:%201",
                "/api/conversations/a%0d%0aX-Injected:%201/export?format=csv",
                "/api/docs/a%0d%0aX-Injected:%201",
                "/nowhere%0d%0aX-Injected:%201",
                "/api/stream?types=%0d%0aX-Injected:%201")) {
            Answer answer = RawHttp.ask(server.port(), "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
            assertNull(answer.header("X-Injected"), answer::toString);
            assertTrue(answer.status() == 404 || answer.status() == 400, answer::toString);
        }
        String id = "a\\r\\nX-Injected: 1";
        server.message(id, "split", "x");
        TestServer.Answer export = server.get("/api/conversations/a%0d%0aX-Injected:%201/export?format=csv");
        assertEquals(200, export.status());
        assertNull(export.header("X-Injected"));
        assertNull(server.get("/api/health/live", "X-Request-Id", "a b")
                .response()
                .headers()
                .firstValue("X-Request-Id")
                .filter(sent -> sent.contains(" "))
                .orElse(null));
    }
}
