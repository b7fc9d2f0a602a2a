package dev.agentpipe.server.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Origin;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The headers, byte by byte; what browsers make of them is told by {@code PagesTest}. */
final class BrowserRulesTest {

    private static final String ORIGIN = "https://app.example";
    private static final String NOTHING =
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static TestServer server;
    private static TestServer closed;

    @BeforeAll
    static void start() {
        server = TestServer.start(
                settings -> settings.allowedOrigins(List.of(new Origin(ORIGIN), new Origin("http://localhost:5173")))
                        .streamConnectionsMax(1));
        closed = TestServer.start();
        server.message("c-1", "m-1", "x");
    }

    @AfterAll
    static void stop() {
        server.close();
        closed.close();
    }

    /** Sends a request with its key, and reads its answer's head and, if that has a length, body. */
    private static Answer ask(TestServer of, String request, String... headers) throws IOException {
        try (RawHttp http = RawHttp.open(of.port())) {
            return http.write(RawHttp.head(request + " HTTP/1.1", 0, headers)).read(!request.startsWith("HEAD"));
        }
    }

    private static Answer askFrom(String origin, String request) throws IOException {
        return ask(server, request, "Origin", origin);
    }

    /** One of each kind of answer. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /api/health",
                "GET /api/conversations",
                "HEAD /api/conversations/c-1",
                "GET /api/conversations/c-1/export?format=csv",
                "GET /api/conversations/none",
                "GET /api/conversations?limit=x",
                "GET /api/search?access_token=x",
                "GET /api/openapi.json",
                "GET /api/docs/style.css",
                "GET /api/docs/none",
                "POST /api/ingest",
                "POST /api/search",
                "PUT /api/ingest",
                "DELETE /api/conversations/c-1",
                "OPTIONS /api/ingest",
                "DELETE /api/session",
                "POST /api/realtime/ticket",
                "GET /nowhere",
                "BREW /api/conversations"
            })
    void answer_ofAnyKind_canBeReadByAnAllowedPage_andIsNoPageItself(String request) throws IOException {
        Answer allowed = askFrom(ORIGIN, request);
        assertRules(allowed, request);
        assertEquals(ORIGIN, allowed.header("Access-Control-Allow-Origin"), request);
        assertTrue(allowed.header("Access-Control-Expose-Headers").contains("X-Request-Id"), request);

        for (String origin : new String[] {null, "https://evil.example", "null"}) {
            Answer other = askFrom(origin, request);
            assertEquals(allowed.status(), other.status(), "who may read it changes nothing of what is done");
            assertRules(other, request);
            assertTrue(other.headers().keySet().stream().noneMatch(name -> name.startsWith("access-control")), request);
        }

        Answer ofClosed = ask(closed, request, "Origin", ORIGIN);
        assertTrue(ofClosed.headers().keySet().stream().noneMatch(name -> name.startsWith("access-control")), request);
    }

    private static void assertRules(Answer answer, String request) {
        assertEquals("nosniff", answer.header("X-Content-Type-Options"), request);
        assertEquals(NOTHING, answer.header("Content-Security-Policy"), request);
        assertEquals("no-referrer", answer.header("Referrer-Policy"), request);
        assertEquals("same-origin", answer.header("Cross-Origin-Resource-Policy"), request);
        assertTrue(vary(answer).contains("origin"), request);
        assertNull(answer.header("Access-Control-Allow-Credentials"), request);
    }

    private static Set<String> vary(Answer answer) {
        Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        for (String name : String.valueOf(answer.header("Vary")).split(",")) {
            names.add(name.strip());
        }
        return names;
    }

    @Test
    void answer_withoutAKey_canBeReadByAnAllowedPage() throws IOException {
        Answer answer = ask(server, "POST /api/ingest", "Origin", ORIGIN, "Authorization", null);

        assertEquals(401, answer.status());
        assertEquals(ORIGIN, answer.header("Access-Control-Allow-Origin"));
        assertRules(answer, "401");
    }

    @Test
    void answer_thatNothingHasChanged_hasTheHeadersOfTheAnswer() throws IOException {
        Answer first = askFrom(ORIGIN, "GET /api/conversations/c-1");
        Answer second =
                ask(server, "GET /api/conversations/c-1", "Origin", ORIGIN, "If-None-Match", first.header("ETag"));

        assertEquals(304, second.status());
        assertRules(second, "304");
        assertEquals(ORIGIN, second.header("Access-Control-Allow-Origin"));
        assertEquals(vary(first), vary(second));
        assertEquals(Set.of("Authorization", "Cookie", "Origin"), Set.copyOf(vary(first)));
        assertEquals("private, no-cache", first.header("Cache-Control"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://app.example/",
                "https://app.example:443",
                "http://app.example",
                "https://app.example.evil",
                "https://evil.example https://app.example",
                "https://APP.example",
                "https://app.exampl",
                "https://sub.app.example",
                "*",
                "",
                "https://app.example, https://app.example"
            })
    void origin_thatIsNotExactlyTheAllowed_mayReadNothing(String origin) throws IOException {
        Answer answer = askFrom(origin, "GET /api/health");

        assertEquals(200, answer.status());
        assertNull(answer.header("Access-Control-Allow-Origin"), origin);
    }

    @Test
    void origin_sentTwice_mayReadNothing() throws IOException {
        try (RawHttp http = RawHttp.open(server.port())) {
            Answer answer = http.write("GET /api/health HTTP/1.1\r\nHost: x\r\nOrigin: " + ORIGIN
                            + "\r\nOrigin: http://localhost:5173\r\n\r\n")
                    .read();
            assertNull(answer.header("Access-Control-Allow-Origin"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "/api/ingest,'POST, OPTIONS'",
        "/api/realtime/stream,'GET, OPTIONS'",
        "/api/conversations/c-1,'GET, HEAD, DELETE, OPTIONS'",
        "/api/search,'POST, GET, HEAD, OPTIONS'",
        "/api/sessions/upload,'POST, OPTIONS'"
    })
    void preflight_tellsTheMethodsThatThereAre(String path, String methods) throws IOException {
        Answer answer = ask(
                server,
                "OPTIONS " + path,
                "Origin",
                ORIGIN,
                "Authorization",
                null,
                "Access-Control-Request-Method",
                "DELETE",
                "Access-Control-Request-Headers",
                "authorization",
                "Access-Control-Request-Private-Network",
                "true");

        assertEquals(204, answer.status());
        assertRules(answer, path);
        assertEquals(ORIGIN, answer.header("Access-Control-Allow-Origin"));
        assertEquals(methods, answer.header("Access-Control-Allow-Methods"));
        assertEquals("7200", answer.header("Access-Control-Max-Age"));
        assertEquals("true", answer.header("Access-Control-Allow-Private-Network"));
        Set<String> headers = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
        headers.addAll(List.of(answer.header("Access-Control-Allow-Headers").split(", ")));
        assertTrue(headers.containsAll(List.of("authorization", "content-type", "last-event-id", "if-none-match")));
    }

    @Test
    void preflight_ofAnotherOrigin_isToldNothing() throws IOException {
        Answer answer = ask(
                server,
                "OPTIONS /api/ingest",
                "Origin",
                "https://evil.example",
                "Access-Control-Request-Method",
                "POST",
                "Access-Control-Request-Private-Network",
                "true");

        assertEquals(204, answer.status());
        assertTrue(answer.headers().keySet().stream().noneMatch(name -> name.startsWith("access-control")));
        assertEquals("POST, OPTIONS", answer.header("Allow"));
    }

    @Test
    void stream_alsoOfAFullServer_canBeReadByAnAllowedPage() throws IOException {
        try (RawStream stream = server.stream("/api/realtime/stream", "Origin", ORIGIN)) {
            assertStream(stream);
            try (RawStream full = server.stream("/api/stream", "Origin", ORIGIN, "Accept", "text/event-stream")) {
                assertStream(full);
            }
            Answer refused = ask(server, "GET /api/stream", "Origin", ORIGIN);
            assertEquals(503, refused.status());
            assertEquals(ORIGIN, refused.header("Access-Control-Allow-Origin"));
            assertRules(refused, "503");
        }
        Answer wrong = ask(server, "GET /api/stream?replay=x", "Origin", ORIGIN);
        assertEquals(400, wrong.status());
        assertEquals(ORIGIN, wrong.header("Access-Control-Allow-Origin"));
    }

    private static void assertStream(RawStream stream) {
        assertEquals(200, stream.status());
        for (String line : List.of(
                "Content-Type: text/event-stream; charset=utf-8",
                "Access-Control-Allow-Origin: " + ORIGIN,
                "X-Content-Type-Options: nosniff",
                "Content-Security-Policy: " + NOTHING,
                "Vary: Origin")) {
            assertTrue(stream.head().contains("\r\n" + line + "\r\n"), stream.head());
        }
    }

    @Test
    void page_hasItsOwnPolicy() throws IOException {
        Answer page = askFrom(ORIGIN, "GET /api/docs");

        assertEquals("text/html; charset=utf-8", page.header("Content-Type"));
        String policy = page.header("Content-Security-Policy");
        assertTrue(policy.startsWith("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), policy);
        assertTrue(!policy.contains("unsafe") && !policy.contains("*") && !policy.contains("http"), policy);
        assertEquals("DENY", page.header("X-Frame-Options"));
        assertEquals("same-origin", page.header("Cross-Origin-Opener-Policy"));
        assertTrue(page.header("Permissions-Policy").contains("camera=()"));
        assertEquals("nosniff", page.header("X-Content-Type-Options"));
        assertEquals("no-referrer", page.header("Referrer-Policy"));
    }
}
