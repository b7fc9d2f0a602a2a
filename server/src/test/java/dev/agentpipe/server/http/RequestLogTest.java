package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.logs.JsonLines;
import dev.agentpipe.server.tls.TestTls;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class RequestLogTest {

    private static TestServer server;
    private CapturedLog log;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void capture() {
        log = new CapturedLog(RequestLog.LOGGER);
    }

    @AfterEach
    void release() {
        log.close();
    }

    /** The lines so far of the request with this id. */
    private List<JsonNode> lines(String requestId) {
        var encoder = JsonLines.encoder(new LoggerContext());
        return log.events().stream()
                .filter(event -> !event.getFormattedMessage().equals("A stream begins"))
                .map(event -> JsonMapper.shared().readTree(encoder.encode(event)))
                .filter(line -> line.get("requestId").asString().equals(requestId))
                .toList();
    }

    private JsonNode line(String requestId) {
        Await.until("the line of " + requestId, () -> !lines(requestId).isEmpty());
        return lines(requestId).get(0);
    }

    @Test
    void ingest_isToldWithAllThatIsKnown() {
        String body = TestServer.messageBody("c-1", "m-1", "what somebody says");
        server.ingest(body, "X-Request-Id", "r-1");

        JsonNode line = line("r-1");

        assertEquals("INFO", line.get("level").asString());
        assertEquals("POST /api/ingest 201", line.get("message").asString());
        assertEquals("POST", line.get("method").asString());
        assertEquals("/api/ingest", line.get("route").asString());
        assertEquals(201, line.get("status").asInt());
        assertTrue(line.get("durationMs").asDouble() > 0, line::toString);
        assertTrue(line.get("durationMs").asDouble() < 60_000, line::toString);
        assertEquals(body.length(), line.get("bytesIn").asInt());
        assertTrue(line.get("bytesOut").asInt() > 20, line::toString);
        assertEquals(new ApiKey(TestServer.KEY).toString(), line.get("keyId").asString());
        assertEquals("c-1", line.get("conversationId").asString());
        assertEquals("127.0.0.1", line.get("address").asString());
        assertFalse(line.has("code"), line::toString);
        String text = log.events().get(0).getFormattedMessage();
        assertTrue(
                text.matches(
                        "POST /api/ingest 201, [0-9]+\\.[0-9]{3} ms, " + body.length() + " bytes in, [0-9]+ bytes out,"
                                + " key ap_test_….{8}, conversation c-1, from 127\\.0\\.0\\.1"),
                text);
        assertEquals(1, lines("r-1").size());
    }

    @Test
    void conversation_isToldWhereThereIsOne() {
        String one = TestServer.messageBody("c-1", "b-1", "x");
        String other = TestServer.messageBody("c-2", "b-2", "x");
        server.ingest("[" + one + "," + one + "]", "X-Request-Id", "same");
        server.ingest("[" + one + "," + other + "]", "X-Request-Id", "two");
        server.ingest("{\"type\":\"bridge.test\",\"data\":{}}", "X-Request-Id", "none");
        server.get("/api/conversations/c-1%0a%1b%5b31m", "X-Request-Id", "controls");
        server.get("/api/conversations/" + "x".repeat(1_000), "X-Request-Id", "long");

        assertEquals("c-1", line("same").get("conversationId").asString());
        assertFalse(line("two").has("conversationId"));
        assertFalse(line("none").has("conversationId"));
        assertEquals("c-1\n\u001b[31m", line("controls").get("conversationId").asString());
        assertEquals("x".repeat(255), line("long").get("conversationId").asString());
        assertEquals("/api/conversations/{id}", line("long").get("route").asString());
        assertEquals(400, line("long").get("status").asInt());
    }

    @Test
    void refusal_isToldByItsCode_andWithoutAnythingThatWasSent() throws Exception {
        server.ingest("{\"type\":\"secret words\"}", "X-Request-Id", "bad");
        server.ingest("{}", "X-Request-Id", "stranger", "Authorization", "Bearer ap_test_a-key-that-nobody-has");
        server.get("/secret/path?secret=query", "X-Request-Id", "nowhere");
        RawHttp.ask(server.port(), "SECRET /api/ingest HTTP/1.1\r\nHost: x\r\nX-Request-Id: verb\r\n\r\n");

        assertEquals("unknown_event_type", line("bad").get("code").asString());
        assertEquals("unauthorized", line("stranger").get("code").asString());
        assertFalse(line("stranger").has("keyId"));
        assertEquals("GET (no route) 404", line("nowhere").get("message").asString());
        assertFalse(line("nowhere").has("route"));
        assertEquals("other /api/ingest 405", line("verb").get("message").asString());
        for (ILoggingEvent event : log.events()) {
            assertFalse(
                    event.getFormattedMessage().toLowerCase(Locale.ROOT).contains("secret"),
                    event::getFormattedMessage);
        }
    }

    @Test
    void probe_isTold_ifAtAll_whereItSaysThatAllIsWell() {
        for (String path : List.of("/api/health", "/api/health/live", "/api/health/ready")) {
            server.get(path, "X-Request-Id", "p");
        }
        server.get("/api/conversations", "X-Request-Id", "q");

        Await.until("all lines", () -> lines("p").size() == 3);
        lines("p").forEach(line -> assertEquals("DEBUG", line.get("level").asString()));
        assertEquals("INFO", line("q").get("level").asString());
    }

    @Test
    void stream_isToldAtItsEnd_withWhatItWasSent() throws Exception {
        server.message("s-1", "s-m1", "x");
        try (RawStream stream = server.stream("/api/stream?conversationId=s-1&replay=10", "X-Request-Id", "s")) {
            stream.block();
            server.message("s-1", "s-m2", "x");
            server.message("s-2", "s-m3", "x");
            server.message("s-1", "s-m4", "x");
            for (int event = 0; event < 3; event++) {
                stream.block();
            }
            assertEquals(List.of(), lines("s"));
        }

        JsonNode line = line("s");

        assertEquals("GET /api/stream 200 ended: gone", line.get("message").asString());
        assertEquals("gone", line.get("reason").asString());
        assertEquals(3, line.get("events").asInt());
        assertEquals("s-1", line.get("conversationId").asString());
        assertFalse(line.has("bytesOut"), line::toString);
    }

    /** Heartbeats and the farewell are no events; and a stopping server says no to those who come, which is no defect. */
    @Test
    void streams_ofAServerThatStops_areTold_overHttp2Too() throws Exception {
        HttpClient client = TestTls.client(HttpClient.Version.HTTP_2);
        TestServer stopping =
                TestServer.start(settings -> TestTls.on().apply(settings).streamHeartbeat(Duration.ofMillis(20)));
        HttpRequest request = HttpRequest.newBuilder(stopping.uri("/api/stream?named=true"))
                .header("X-Request-Id", "h2")
                .build();
        InputStream in = client.send(request, BodyHandlers.ofInputStream()).body();
        stopping.message("s-1", "s-m1", "x");
        StringBuilder read = new StringBuilder();
        while (!read.toString().contains("event: message.created")
                || !read.toString().endsWith(":heartbeat\n")) {
            read.append(new String(new byte[] {(byte) in.read()}, StandardCharsets.UTF_8));
        }
        stopping.close();

        JsonNode line = line("h2");
        assertEquals("shutdown", line.get("reason").asString());
        assertEquals(1, line.get("events").asInt());
        assertEquals(1, lines("h2").size());
    }

    @Test
    void failure_isAWarning() throws Exception {
        try (TestServer full = TestServer.start(settings -> settings.streamConnectionsMax(1));
                RawStream stream = full.stream("/api/stream")) {
            stream.block();
            full.get("/api/stream", "X-Request-Id", "plain");
            full.get("/api/stream", "X-Request-Id", "sse", "Accept", "text/event-stream");
        }

        assertEquals("WARN", line("plain").get("level").asString());
        assertEquals(503, line("plain").get("status").asInt());
        assertEquals("too_many_streams", line("sse").get("code").asString());
        assertEquals(200, line("sse").get("status").asInt());
        assertEquals(
                new TreeSet<>(line("plain").propertyNames()),
                new TreeSet<>(line("sse").propertyNames()));
    }
}
