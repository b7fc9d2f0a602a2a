package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.TestServer;
import java.io.EOFException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RoutesTest {

    @AutoClose
    private static final TestServer server = TestServer.start();

    private static Answer ask(String requestLine, String... headers) throws IOException {
        try (RawHttp http = RawHttp.open(server.port())) {
            return http.write(RawHttp.head(requestLine + " HTTP/1.1", 0, headers))
                    .read(!requestLine.startsWith("HEAD"));
        }
    }

    private static void assertProblem(int status, String code, Answer answer) {
        assertEquals(status, answer.status(), answer::toString);
        assertEquals("application/problem+json; charset=utf-8", answer.header("Content-Type"));
        assertEquals(code, answer.json().get("code").stringValue());
        assertEquals(
                answer.header("X-Request-Id"), answer.json().get("requestId").stringValue());
        assertEquals("no-store", answer.header("Cache-Control"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/api",
                "/api/",
                "/api/ingestion",
                "/API/ingest",
                "/api/ingest/more",
                "/api/ingest/",
                "/api//ingest",
                "//api/ingest",
                "/api/./ingest",
                "/x/../api/ingest",
                "/x/%2e%2e/api/ingest",
                "/api%2fingest",
                "/api/health/../ingest",
                "/%00",
                "/%",
                "/%zz",
                "*"
            })
    void path_unknown_is404OrMalformed(String path) throws IOException {
        Answer answer = ask("POST " + path);

        if (answer.status() != 400) { // Undertow's own word on what is no URL
            assertProblem(404, "not_found", answer);
        }
    }

    /** Undertow decodes what needs no encoding, and cuts path parameters off. */
    @ParameterizedTest
    @ValueSource(strings = {"/api/ingest", "/api/%69ngest", "/api/ingest;a=b", "/api/ingest?a=b"})
    void path_ofIngest_inOtherWords_isIngest(String path) throws IOException {
        assertEquals(400, ask("POST " + path).status());
        assertEquals(401, ask("POST " + path, "Authorization", "x").status());
    }

    @ParameterizedTest
    @CsvSource({
        "/api/ingest,'POST, OPTIONS'",
        "/api/stream,'GET, OPTIONS'",
        "/api/realtime/stream,'GET, OPTIONS'",
        "/api/health,'GET, HEAD, OPTIONS'",
        "/api/health/live,'GET, HEAD, OPTIONS'",
        "/api/health/ready,'GET, HEAD, OPTIONS'"
    })
    void method_other_is405WithTheAllowedOnes(String path, String allowed) throws IOException {
        for (String method : new String[] {"PUT", "DELETE", "PATCH", "TRACE", "BREW"}) {
            Answer answer = ask(method + " " + path);
            assertProblem(405, "method_not_allowed", answer);
            assertEquals(allowed, answer.header("Allow"));
        }
        Answer options = ask("OPTIONS " + path);
        assertEquals(204, options.status());
        assertEquals(allowed, options.header("Allow"));
        assertNull(options.header("Content-Length"));
    }

    @Test
    void head_ofHealth_isItsGetWithoutBody() throws IOException {
        for (String path : new String[] {"/api/health/live", "/api/health/ready"}) {
            Answer get = ask("GET " + path);
            try (RawHttp http = RawHttp.open(server.port())) {
                Answer head = http.write(RawHttp.head("HEAD " + path + " HTTP/1.1", 0))
                        .read(false);
                assertEquals(200, head.status());
                assertEquals(get.header("Content-Length"), head.header("Content-Length"));
                assertEquals(get.header("Content-Type"), head.header("Content-Type"));
                assertEquals(
                        get.body(),
                        http.write(RawHttp.head("GET " + path + " HTTP/1.1", 0))
                                .read()
                                .body());
            }
        }
        assertEquals(405, ask("HEAD /api/stream").status(), "a stream has no end that a HEAD could tell");
        assertEquals(405, ask("HEAD /api/ingest").status());
    }

    @Test
    void requestId_thatIsSane_isTheCallers() {
        for (String id : new String[] {"a", "A-z_0.9", "x".repeat(128), "0b5e1c5a-9a5e-4a6c-8f6f-0f6f5d3c2b1a"}) {
            HttpRequest request = HttpRequest.newBuilder(server.uri("/nowhere"))
                    .header("X-Request-Id", id)
                    .build();
            TestServer.Answer answer = server.send(request);
            assertEquals(id, answer.header("X-Request-Id"));
            assertEquals(id, answer.json().get("requestId").stringValue());
        }
    }

    @Test
    void requestId_thatIsNot_isReplaced() throws IOException {
        for (String id : new String[] {"", "a b", "x".repeat(129), "ü", "a\"b", "<script>", "a,b", "a%0ab"}) {
            Answer answer = ask("GET /nowhere", "X-Request-Id", id);
            assertTrue(answer.header("X-Request-Id").matches("[a-z0-9]{5,13}"), answer.header("X-Request-Id"));
            assertEquals(
                    answer.header("X-Request-Id"),
                    answer.json().get("requestId").stringValue());
        }
    }

    @Test
    void requestId_isOnEveryAnswerAndNeverTheSame() throws IOException {
        String last = "";
        try (RawHttp http = RawHttp.open(server.port())) {
            for (String request : new String[] {
                "GET /api/health",
                "GET /api/health/live",
                "GET /nowhere",
                "PUT /api/ingest",
                "OPTIONS /api/ingest",
                "POST /api/ingest",
                "GET /api/stream?replay=x"
            }) {
                String id = http.write(RawHttp.head(request + " HTTP/1.1", 0))
                        .read()
                        .header("X-Request-Id");
                assertNotEquals(last, id, request);
                assertTrue(id != null && !id.isEmpty(), request);
                last = id;
            }
            String event = "{\"type\":\"bridge.test\",\"data\":{}}";
            assertNotEquals(last, http.write(RawHttp.post(event)).read().header("X-Request-Id"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                "POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
                "POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /api/ingest HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"
            })
    void request_thatIsNoHttp_is400AndTheServerLivesOn(String request) throws IOException {
        try (RawHttp http = RawHttp.open(server.port())) {
            assertEquals(400, http.write(request).read().status());
        } catch (EOFException closed) {
            assertTrue(request.startsWith("nonsense"), request);
        }
        assertEquals(200, server.get("/api/health/live").status());
    }

    @Test
    void uri_ofTheServer_isWhereItListens() {
        assertEquals(URI.create("http://127.0.0.1:" + server.port() + "/"), server.uri("/"));
    }
}
