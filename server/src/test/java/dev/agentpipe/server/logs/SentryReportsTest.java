package dev.agentpipe.server.logs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.agentpipe.server.Await;
import io.sentry.Sentry;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against a stand-in that takes envelopes: https://develop.sentry.dev/sdk/foundations/envelopes/. */
final class SentryReportsTest {

    private final LoggerContext context = new LoggerContext();
    private final LogbackMDCAdapter mdc = new LogbackMDCAdapter();
    private HttpServer standIn;
    private SentryReports sentry;

    private final List<JsonNode> events = new CopyOnWriteArrayList<>();
    private final List<String> envelopes = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();

    private void start() throws IOException {
        standIn = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        standIn.createContext("/", this::take);
        standIn.start();
        start(standIn.getAddress().getPort());
    }

    private void start(int port) {
        context.setMDCAdapter(mdc);
        sentry = new SentryReports(URI.create("http://pub1ic@127.0.0.1:" + port + "/base/42"), "production", "1.2.3");
        sentry.setContext(context);
        sentry.start();
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(sentry);
    }

    @AfterEach
    void stop() {
        sentry.flush();
        Sentry.close();
        context.stop();
        if (standIn != null) {
            standIn.stop(0);
        }
    }

    private void take(HttpExchange exchange) throws IOException {
        requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                + exchange.getRequestHeaders().getFirst("X-Sentry-Auth"));
        boolean packed = "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
        try (InputStream body = exchange.getRequestBody();
                InputStream in = packed ? new GZIPInputStream(body) : body) {
            String envelope = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            envelopes.add(envelope);
            String[] lines = envelope.split("\n"); // its header; then of each item a header and what it is
            for (int i = 1; i + 1 < lines.length; i += 2) {
                if (JsonMapper.shared()
                        .readTree(lines[i])
                        .get("type")
                        .asString()
                        .equals("event")) {
                    events.add(JsonMapper.shared().readTree(lines[i + 1]));
                }
            }
        }
        byte[] answer = "{}".getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    @Test
    void error_isReported_withoutAnythingThatSomebodySaid() throws Exception {
        start();
        Logger logger = context.getLogger("dev.agentpipe.server.Some");
        mdc.put("requestId", "r-1");
        SQLException cause = new SQLException("Failing row contains (S3CRET)", "23505");
        logger.info("fine S3CRET");
        logger.warn("not fine S3CRET", new IllegalStateException("S3CRET"));
        logger.error("Group of {} failed", "S3CRET", new IllegalStateException("postgresql://u:S3CRET@h", cause));
        context.getLogger("io.undertow.request").error("UT005023: request to /S3CRET");
        Await.until("two reports", () -> events.size() == 2);

        JsonNode event = events.get(0);
        assertEquals("error", event.get("level").asString());
        assertEquals("dev.agentpipe.server.Some", event.get("logger").asString());
        assertEquals("production", event.get("environment").asString());
        assertEquals("agentpipe-server@1.2.3", event.get("release").asString());
        assertEquals("r-1", event.at("/tags/requestId").asString());
        assertTrue(event.get("message").toString().contains("Group of {} failed"), event::toString);
        JsonNode inner = event.at("/exception/values/0");
        JsonNode outer = event.at("/exception/values/1");
        assertEquals("SQLException", inner.get("type").asString());
        assertEquals("SQLSTATE 23505", inner.get("value").asString());
        assertEquals("IllegalStateException", outer.get("type").asString());
        assertFalse(outer.has("value"), outer::toString);
        JsonNode frames = outer.at("/stacktrace/frames");
        assertTrue(frames.toString().contains(SentryReportsTest.class.getName()), frames::toString);
        assertEquals("io.undertow.request", events.get(1).get("logger").asString());
        assertTrue(requests.get(0).startsWith("POST /base/api/42/envelope/ Sentry "), requests.get(0));
        assertTrue(requests.get(0).contains("sentry_key=pub1ic"), requests.get(0));
        String host = InetAddress.getLocalHost().getHostName();
        for (String envelope : envelopes) {
            assertFalse(envelope.contains("S3CRET"), envelope);
            assertFalse(envelope.contains("\"" + host + "\""), envelope);
        }
        for (String member : List.of("user", "request", "server_name", "breadcrumbs", "extra", "modules", "threads")) {
            assertFalse(event.has(member), member + " in " + new TreeSet<>(event.propertyNames()));
        }
    }

    @Test
    void storm_isReportedInPart() throws Exception {
        start();
        Logger logger = context.getLogger("dev.agentpipe.server.Some");
        for (int i = 0; i < 1_000; i++) {
            logger.error("again");
        }
        sentry.flush();

        Await.until("the first ones", () -> events.size() >= SentryReports.BURST);
        assertTrue(events.size() < 3 * SentryReports.BURST, events.size() + " reports");
    }

    @Test
    void sentryThatIsAway_costsNothing() throws Exception {
        try (var closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            start(closed.getLocalPort()); // takes connections, and never answers
            context.getLogger("dev.agentpipe.server.Some").error("failed");
            sentry.flush();
        }
        assertEquals(List.of(), events);
    }
}
