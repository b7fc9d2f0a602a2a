package dev.agentpipe.server.keys;

import static dev.agentpipe.server.keys.KeyMaker.bearer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.read.ListAppender;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import dev.agentpipe.server.audit.Audit;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What must be nowhere, and what must be in the audit: everything that is logged, of all levels, is looked through. */
final class SecretsTest {

    private static final String SECRET_TEXT = "what-somebody-said";

    private final Logger root = logger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private Level rootLevel;
    private Appender<ILoggingEvent> console;
    private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
    private TestServer server;
    private KeyMaker keys;

    @BeforeEach
    void start() {
        lines.list = new CopyOnWriteArrayList<>();
        lines.start();
        root.addAppender(lines);
        rootLevel = root.getLevel();
        root.setLevel(Level.TRACE); // as LogSetup for LOG_LEVEL=trace
        logger("org.jooq").setLevel(Level.ERROR);
        logger("io.undertow").setLevel(Level.INFO);
        console = root.getAppender("console");
        if (console != null) {
            root.detachAppender(console);
        }
        server = TestServer.start();
        keys = new KeyMaker(server.databaseUrl());
    }

    @AfterEach
    void stop() {
        server.close();
        root.setLevel(rootLevel);
        logger("org.jooq").setLevel(null);
        logger("io.undertow").setLevel(null);
        root.detachAppender(lines);
        if (console != null) {
            root.addAppender(console);
        }
    }

    private static Logger logger(String name) {
        return (Logger) LoggerFactory.getLogger(name);
    }

    private String logged() {
        StringBuilder all = new StringBuilder();
        for (ILoggingEvent event : lines.list) {
            all.append(event.getFormattedMessage()).append('\n');
            for (var thrown = event.getThrowableProxy(); thrown != null; thrown = thrown.getCause()) {
                all.append(thrown.getMessage()).append('\n');
            }
        }
        return all.toString();
    }

    /** Who has logged this. */
    private List<String> loggersOf(String secret) {
        return lines.list.stream()
                .filter(event -> event.getFormattedMessage().contains(secret))
                .map(ILoggingEvent::getLoggerName)
                .distinct()
                .toList();
    }

    private List<String> audited() {
        return lines.list.stream()
                .filter(event -> event.getLoggerName().equals(Audit.LOGGER))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    private void awaitAudited(String part) {
        Await.until(() -> part + " in " + audited(), () -> audited().stream().anyMatch(line -> line.contains(part)));
    }

    private Answer send(String method, String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(server.uri(path)).method(method, BodyPublishers.noBody());
        for (int i = 0; i < headers.length; i += 2) {
            request.setHeader(headers[i], headers[i + 1]);
        }
        return server.send(request.build());
    }

    @Test
    void secrets_inAllThatIsAnsweredAndLogged_areNowhere() {
        ApiKey reader = keys.make("read");
        ApiKey wrong = ApiKey.generate(new SecureRandom());
        AtomicReference<Answer> session = new AtomicReference<>();
        Await.until("known", () -> {
            session.set(send("POST", "/api/session", bearer(reader)));
            return session.get().status() == 201;
        });
        String cookie = session.get().header("Set-Cookie").split(";")[0];
        Answer ticket = send("POST", "/api/realtime/ticket", bearer(reader));
        StringBuilder answered = new StringBuilder(session.get().response().body());
        server.message("c", "m1", SECRET_TEXT);
        for (String path : List.of("/api/session", "/api/health", "/api/conversations", "/nowhere")) {
            answered.append(server.get(path, "Cookie", cookie)).append(server.get(path, bearer(wrong)));
            answered.append(server.get(path + "?ticket=" + wrong.value()));
        }
        answered.append(server.ingest("{", bearer(wrong))).append(server.ingest("{"));
        answered.append(send("DELETE", "/api/conversations/c", "Authorization", "Bearer " + TestServer.ADMIN_KEY));
        answered.append(send("DELETE", "/api/session", "Cookie", cookie));
        keys.revoke(reader);
        awaitAudited("\"audit\":\"key.revoked\"");
        server.close(); // tells what was counted

        String all = answered + logged();
        for (String secret : List.of(
                reader.value(),
                wrong.value(),
                TestServer.KEY,
                TestServer.ADMIN_KEY,
                cookie.substring(cookie.indexOf('=') + 1),
                ticket.json().get("ticket").stringValue())) {
            assertFalse(all.contains(secret), () -> all.substring(Math.max(0, all.indexOf(secret) - 200)));
        }
        assertEquals(List.of(), loggersOf(SECRET_TEXT), "no content");
        assertTrue(logged().contains(reader.toString()), "or nothing was looked through");
    }

    /** {@code SecretsSearch} looks through what is answered and logged. */
    @Test
    void key_inAnyWrongPlace_isRepeatedNowhere() throws IOException {
        ApiKey key = keys.make("read", "ingest");
        String value = key.value();
        String basic = Base64.getEncoder().encodeToString((value + ":x").getBytes(StandardCharsets.UTF_8));
        List<String> headers = List.of(
                "Authorization: " + value,
                "Authorization: Basic " + basic,
                "Authorization: Digest username=\"" + value + "\"",
                "Proxy-Authorization: Bearer " + value,
                "X-Api-Key: " + value,
                "Cookie: agentpipe_session=" + value,
                "Cookie: " + value + "=x",
                "X-Request-Id: " + value,
                "User-Agent: " + value,
                "Referer: https://a.example/?key=" + value,
                "Origin: https://" + value,
                "Accept: " + value,
                "Prefer: " + value,
                "Expect: " + value,
                "Content-Encoding: " + value,
                "If-None-Match: \"" + value + "\"",
                "Last-Event-ID: " + value,
                value + ": x");
        for (String header : headers) {
            boolean isWrongKey = header.startsWith("Authorization") || header.startsWith("Cookie"); // and held up
            for (String request : List.of(
                    "GET /api/conversations",
                    "POST /api/ingest",
                    "POST /api/sessions/upload",
                    "POST /api/search",
                    "DELETE /api/conversations/c",
                    value + " /api/ingest")) {
                if (isWrongKey && !request.startsWith("DELETE")) {
                    continue;
                }
                RawHttp.Answer answer = RawHttp.ask(
                        server.port(),
                        request + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n" + header + "\r\n\r\n{}");
                assertTrue(answer.status() < 500, answer::toString);
                assertFalse(answer.toString().contains(value), answer::toString);
            }
        }
        for (String body : List.of(
                "{\"type\":\"" + value + "\",\"data\":{}}",
                "{\"type\":\"bridge.test\",\"timestamp\":\"" + value + "\",\"data\":{}}",
                "{\"query\":\"" + value + "\",\"sort\":\"" + value + "\",\"filters\":{\"status\":[\"" + value
                        + "\"],\"startDate\":\"" + value + "\"}}",
                "{\"conversation\":{\"name\":\"n\",\"status\":\"" + value + "\"}}",
                value,
                "Bearer " + value)) {
            for (String path : List.of("/api/ingest", "/api/search", "/api/sessions/upload")) {
                RawHttp.Answer answer = RawHttp.ask(
                        server.port(), RawHttp.head("POST " + path + " HTTP/1.1", body.length(), bearer(key)) + body);
                assertTrue(answer.status() < 500, answer::toString);
                assertFalse(answer.body().contains(value), answer::toString);
            }
        }
        try (RawStream stream = server.stream("/api/stream", bearer(key, "Last-Event-ID", value))) {
            assertFalse(stream.block().contains(value));
        }
        server.close();
        assertFalse(logged().contains(value));
    }

    @Test
    void audit_tellsWhoDidWhatFromWhere() {
        ApiKey key = keys.make("ingest", "upload");
        awaitAudited("\"audit\":\"key.created\",\"who\":\"a test\",\"key\":\"" + key
                + "\",\"name\":\"test\",\"scopes\":[\"ingest\",\"upload\"]");
        keys.revoke(key);
        awaitAudited("\"audit\":\"key.revoked\",\"who\":\"a test\",\"key\":\"" + key);
        ApiKey brief = keys.make(Duration.ofMillis(1_500), "ingest");
        awaitAudited("\"audit\":\"key.expired\",\"who\":\"a test\",\"key\":\"" + brief);

        server.message("c", "m1", SECRET_TEXT);
        String admin = new ApiKey(TestServer.ADMIN_KEY).toString();
        server.get("/api/conversations/c/export?format=csv", "X-Request-Id", "e1");
        awaitAudited("\"audit\":\"conversation.exported\",\"conversationId\":\"c\",\"format\":\"csv\",\"status\":200,"
                + "\"address\":\"127.0.0.1\",\"requestId\":\"e1\"}");
        send("DELETE", "/api/conversations/c", bearer(new ApiKey(TestServer.KEY), "X-Request-Id", "d0"));
        awaitAudited("\"who\":\"" + new ApiKey(TestServer.KEY) + "\",\"conversationId\":\"c\",\"status\":403,");
        send("DELETE", "/api/conversations/c", bearer(new ApiKey(TestServer.ADMIN_KEY), "X-Request-Id", "d1"));
        awaitAudited("\"audit\":\"conversation.deleted\",\"who\":\"" + admin
                + "\",\"conversationId\":\"c\",\"status\":204,\"address\":\"127.0.0.1\",\"requestId\":\"d1\"}");
    }

    @Test
    void key_inAUrl_isRefusedAndNamedAsLeaked() throws IOException {
        for (String url : List.of(
                "/api/stream?key=<KEY>",
                "/api/stream?ticket=<KEY>",
                "/api/stream?x=<KEY>",
                "/api/conversations?search=a<KEY>a",
                "/api/stream?<KEY>",
                "/api/stream?<KEY>=1",
                "/api/stream?x=%61p%5Flive_<NUMBER>",
                "/api/conversations/<KEY>",
                "/<KEY>",
                "/api/stream?access_token=some-other-key",
                "/api/stream?API_KEY=some-other-key",
                "/api/health?token=x")) {
            ApiKey key = ApiKey.generate(new SecureRandom());
            String path = url.replace("<KEY>", key.value())
                    .replace("<NUMBER>", key.value().substring("ap_live_".length()));
            RawHttp.Answer answer = RawHttp.ask(server.port(), "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");

            assertEquals(400, answer.status(), answer::toString);
            assertEquals("key_in_url", answer.json().get("code").stringValue());
            assertTrue(answer.json().get("detail").stringValue().contains("leaked"), answer::toString);
            assertFalse(answer.body().contains(key.value().substring(8)), answer::toString);
            assertEquals(List.of(), loggersOf(key.value().substring(8)), url);
        }
        for (String path :
                List.of("/api/conversations?agentType=ap_live_", "/api/session?x=ap_test_short", "/api/session?key=")) {
            assertEquals(200, server.get(path).status(), path);
        }
    }

    @Test
    void wrongKey_whereNoneIsNeeded_isCountedAllTheSame() {
        assertEquals(
                200,
                server.get("/api/conversations", "Authorization", "Bearer wrong-key")
                        .status());
        assertEquals(
                200,
                server.get("/api/session", "Authorization", "Bearer wrong-key").status());
        server.close(); // tells what was counted
        awaitAudited(
                "\"audit\":\"authentication.failed\",\"address\":\"127.0.0.1\",\"count\":2,\"reasons\":{\"unknown\":2}");
    }

    @Test
    void rightKey_amongManyWrongOnes_isNeitherRefusedNorHeldUp() {
        for (int i = 0; i < 7; i++) {
            assertEquals(
                    401,
                    server.ingest("{}", "Authorization", "Bearer wrong-" + i + "-key")
                            .status());
        }
        // An eighth wrong one would wait, and in front of it on the same connection nothing can be answered.
        assertEquals(
                201, server.ingest("{\"type\":\"bridge.test\",\"data\":{}}").status());
    }
}
