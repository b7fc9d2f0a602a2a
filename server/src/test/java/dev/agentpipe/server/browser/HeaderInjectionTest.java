package dev.agentpipe.server.browser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Origin;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.TestServer;
import java.io.EOFException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Nothing that a client sends becomes a line of an answer's head, or an answer of its own. */
final class HeaderInjectionTest {

    private static final String INJECTED = "\r\nX-Injected: 1\r\nSet-Cookie: a=b\r\n\r\n<script>alert(1)</script>";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start(settings -> settings.allowedOrigins(List.of(new Origin("https://app.example"))));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Sends it, and has the connection used again: what was split would be the answer to the next request. */
    private static Answer ask(String request) throws IOException {
        try (RawHttp http = RawHttp.open(server.port())) {
            Answer answer = http.write(request).read(!request.startsWith("HEAD"));
            assertClean(answer);
            if (answer.status() != 400 && !"close".equals(answer.header("Connection"))) {
                http.write(RawHttp.head("GET /api/health/live HTTP/1.1", 0));
                assertEquals("{\"status\":\"live\"}", http.read().body());
            }
            return answer;
        }
    }

    private static void assertClean(Answer answer) {
        assertNull(answer.header("X-Injected"), answer::toString);
        assertNull(answer.header("Set-Cookie"), answer::toString);
        answer.headers().forEach((name, values) -> {
            assertTrue(name.matches("[a-z-]+"), name);
            values.forEach(value -> assertTrue(value.matches("[\\x20-\\x7e]*"), value));
        });
    }

    private static Stream<String> ids() {
        return Stream.of(
                INJECTED,
                "a\nX-Injected: 1",
                "a\rX-Injected: 1",
                "\u010d\u010aX-Injected: 1", // would be \r\n if cut to bytes
                "\u560d\u560aX-Injected: 1",
                "a\u0085X-Injected: 1\u2028X-Injected: 1",
                "\"; filename=\"x.html\"; a=\"",
                "x.html\u0000.csv",
                "..\\..\\x.exe",
                "../../x",
                "%0d%0aX-Injected:%201",
                "\u202Elmth.x");
    }

    @ParameterizedTest
    @MethodSource("ids")
    void id_becomesNoHeader(String id) throws IOException {
        String sent = id.replace("\u0000", ""); // which an id cannot have
        String event = JsonMapper.shared()
                .writeValueAsString(Map.of(
                        "type",
                        "message.created",
                        "timestamp",
                        "2026-11-22T14:34:22Z",
                        "data",
                        Map.of("conversation_id", sent, "message_id", sent, "agent_type", sent, "content", sent)));
        for (String agent : new String[] {"curl", "Go-http-client/1.1"}) {
            Answer stored = ask(RawHttp.post(event, "User-Agent", agent));
            assertTrue(stored.status() == 201 || stored.status() == 200, stored::toString);
            assertTrue(stored.header("Event-Id").matches("[a-z0-9]+-\\d+"));
            assertEquals("/api/conversations/" + encoded(sent) + "#" + encoded(sent), stored.header("Location"));
        }
        String path = "/api/conversations/" + encoded(sent);
        for (String format : new String[] {"json", "jsonl", "csv", "markdown"}) {
            Answer export = ask(RawHttp.head("HEAD " + path + "/export?format=" + format + " HTTP/1.1", 0));
            assertEquals(200, export.status(), export::toString);
            assertTrue(
                    export.header("Content-Disposition")
                            .matches("attachment; filename=\"conversation-[A-Za-z0-9._-]*-2026-11-22\\.[a-z]+\""
                                    + "(; filename\\*=UTF-8''[A-Za-z0-9._%-]+\\.[a-z]+)?"),
                    export.header("Content-Disposition"));
        }
        for (String more : new String[] {"", "/messages"}) {
            Answer read = ask(RawHttp.head("GET " + path + more + " HTTP/1.1", 0));
            assertEquals(200, read.status());
            assertTrue(read.body().contains(JsonMapper.shared().writeValueAsString(sent)), read.body());
        }
    }

    @Test
    void parameters_becomeNoHeaders() throws IOException {
        String text = encoded(INJECTED);
        for (String path : List.of(
                "/api/conversations?limit=" + text,
                "/api/conversations?cursor=" + text,
                "/api/conversations/none/export?format=" + text,
                "/api/conversations/" + text,
                "/api/search?type=" + text,
                "/api/stream?types=" + text,
                "/api/stream?replay=" + text,
                "/api/metrics/summary?startDate=" + text,
                "/api/docs/" + text,
                "/api/" + text,
                "/?" + text)) {
            for (String method : List.of("GET", "HEAD", "POST", "OPTIONS", "BREW")) {
                Answer answer = ask(RawHttp.head(method + " " + path + " HTTP/1.1", 0));
                assertTrue(answer.status() < 500, answer::toString);
            }
        }
    }

    @Test
    void headers_becomeNoOtherHeaders() throws IOException {
        for (String header : List.of(
                "X-Request-Id",
                "Origin",
                "If-None-Match",
                "Prefer",
                "Accept",
                "Cookie",
                "Last-Event-ID",
                "Authorization",
                "Access-Control-Request-Method",
                "Forwarded",
                "X-Forwarded-Host")) {
            for (String value : List.of(
                    encoded(INJECTED),
                    "https://app.example\rX-Injected: 1",
                    "https://app.example\tX-Injected: 1",
                    "a\u00e4\u010d\u010aX-Injected: 1",
                    "agentpipe_session=a%0d%0aX-Injected:1; a=\"b\\r\\nX-Injected: 1\"",
                    "return=minimal\rX-Injected: 1",
                    "<script>alert(1)</script>",
                    "x".repeat(10_000))) {
                Answer answer = ask(RawHttp.head("OPTIONS /api/conversations HTTP/1.1", 0, header, value));
                assertTrue(answer.status() < 500, answer::toString);
                assertEquals(
                        answer.status() == 400,
                        answer.header("X-Request-Id") == null,
                        "Undertow's own answers have no headers, all others have all");
                ask(RawHttp.head("GET /api/health/live HTTP/1.1", 0, header, value));
            }
        }
    }

    /** Line breaks as they are, not encoded: no part of a URL or a header at all. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /api/conversations/a\rX-Injected: 1 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/conversations/a\nX-Injected: 1 HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/conversations/a\u0000b HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET /api/health HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n X-Injected: 1\r\n\r\n",
                "GET /api/health HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\nX-Injected: 1\r\n\r\n",
                "GET /api/health HTTP/1.1\r\nHost: x\r\nX-Request-Id : a\r\n\r\n",
                "GET /api/health HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\u0000\r\n\r\n"
            })
    void lineBreaks_thatAreNotEncoded_becomeNoHeader(String request) throws IOException {
        try {
            ask(request);
        } catch (EOFException closed) {
            // No answer is as good.
        }
        assertEquals(200, server.get("/api/health/live").status());
    }
}
