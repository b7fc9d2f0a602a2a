package dev.agentpipe.server.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.AddressRanges;
import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.Programs;
import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.SettingsBuilder;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.tls.TestTls;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server as its clients see it through {@code conf/nginx/agentpipe-server.conf}. */
final class NginxTest {

    private static final String STREAM = "/api/realtime/stream";
    private static final int MIB = 1 << 20;

    @TempDir
    private static Path folder;

    private static TestServer server;
    private static Nginx nginx;
    private final HttpClient client = TestTls.client(HttpClient.Version.HTTP_1_1);

    @BeforeAll
    static void start() throws IOException {
        server = TestServer.start(NginxTest::settings);
        nginx = new Nginx(folder, server.port());
    }

    private static SettingsBuilder settings(SettingsBuilder builder) {
        return builder.trustedProxies(AddressRanges.LOOPBACK).streamHeartbeat(Duration.ofMillis(300));
    }

    @AfterAll
    static void stop() {
        if (nginx != null) {
            nginx.close();
        }
        server.close();
    }

    @Test
    void configuration_isTakenWithoutAWarning() {
        assertFalse(nginx.log().contains("[warn]"), nginx.log());
        assertFalse(nginx.log().contains("[emerg]"), nginx.log());
    }

    @Test
    void stream_eachFrame_comesAtOnce() throws Exception {
        try (RawStream stream = stream()) {
            assertEquals(200, stream.status());
            assertTrue(stream.head().contains("text/event-stream"), stream.head());
            assertFalse(stream.head().toLowerCase(Locale.ROOT).contains("content-encoding"), stream.head());
            assertTrue(stream.event().contains("connected"));

            assertEquals(201, ingest("through-1").statusCode());

            assertTrue(stream.event().contains("through-1"), "nothing comes after it that would push it out");
            assertTrue(stream.block().startsWith(":heartbeat"));
        }
    }

    @Test
    void stream_overHttp2_comesAtOnce() throws Exception {
        HttpClient modern = TestTls.client(HttpClient.Version.HTTP_2);
        HttpResponse<InputStream> response =
                modern.send(HttpRequest.newBuilder(nginx.uri(STREAM)).build(), BodyHandlers.ofInputStream());
        assertEquals(HttpClient.Version.HTTP_2, response.version());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertTrue(lines.readLine().startsWith("retry: "));
        }
    }

    @Test
    void lastEventId_isPassedOn() throws Exception {
        String id = ingest("seen").headers().firstValue("Event-Id").orElseThrow();
        ingest("missed");
        try (RawStream stream = stream("Last-Event-ID", id)) {
            assertTrue(stream.event().contains("connected"));
            assertTrue(stream.event().contains("missed"));
        }
    }

    @Test
    void restart_streamsAreToldToComeBack_andMissNothing() throws Exception {
        String id;
        try (RawStream stream = stream()) {
            stream.event();
            ingest("before");
            id = RawStream.id(stream.event());

            server.close();
            String last = null;
            for (String block = stream.block(); block != null; block = stream.block()) {
                last = block;
            }
            assertTrue(last != null && last.startsWith("retry: "), "an orderly end: " + last);
        }
        try (RawStream away = stream("Accept", "text/event-stream", "Last-Event-ID", id, "Connection", "close")) {
            assertEquals(200, away.status(), "EventSource gives up for good at anything else");
            assertTrue(away.head().contains("text/event-stream"), away.head());
            String told = away.block();
            assertTrue(told.matches("retry: \\d{4,5}\nevent: overloaded\ndata: \\{.*}\n\n"), told);
            assertNull(away.block(), "the end");
        }
        HttpResponse<String> refused = ingest("while-away");
        assertEquals(503, refused.statusCode());
        assertEquals("5", refused.headers().firstValue("Retry-After").orElse(null));
        assertProblem("server_away", refused);
        assertEquals(
                503,
                client.send(HttpRequest.newBuilder(nginx.uri(STREAM)).build(), BodyHandlers.ofString())
                        .statusCode(),
                "curl wants to know");

        startAgain();

        assertEquals(201, ingest("after").statusCode());
        try (RawStream stream = stream("Last-Event-ID", id)) {
            stream.event();
            assertTrue(stream.event().contains("\"after\""));
        }
    }

    @Test
    void upload_nearlyAsLargeAsMayBe_passes_andAboveIsToldWhy() throws Exception {
        String stored = curl("/api/sessions/upload", session(60));
        assertTrue(stored.contains("\"messages_created\":1") && stored.endsWith(" 201"), stored);

        String code = "\"code\":\"%s\"";
        String refused = curl("/api/sessions/upload", session(66));
        assertTrue(refused.contains(code.formatted("upload_too_large")) && refused.endsWith(" 413"), refused);
        refused = curl("/api/ingest", " ".repeat(9 * MIB));
        assertTrue(refused.contains(code.formatted("request_too_large")) && refused.endsWith(" 413"), refused);
        refused = curl("/api/ingest", " ".repeat(12 * MIB));
        assertTrue(refused.contains("An upload may have 64 MiB") && refused.endsWith(" 413"), refused);
    }

    @Test
    void client_isKnownByItsAddress_whateverItWrites() throws Exception {
        try (CapturedLog audit = new CapturedLog("audit");
                SSLSocket socket = TestTls.socket()) {
            socket.setSoTimeout(20_000);
            socket.bind(new InetSocketAddress("127.0.0.9", 0));
            socket.connect(new InetSocketAddress("127.0.0.1", nginx.tlsPort()));
            socket.getOutputStream().write("""
                    POST /api/ingest?query=in-the-query HTTP/1.1
                    Host: first.test
                    Authorization: Bearer ap_live_not-a-key-that-is-known
                    X-Forwarded-For: 203.0.113.7
                    X-Forwarded-Proto: http
                    Forwarded: for=203.0.113.7;proto=http
                    Content-Length: 0
                    Connection: close

                    """.replace("\n", "\r\n").getBytes(StandardCharsets.UTF_8));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(answer.startsWith("HTTP/1.1 401"), answer);
            assertTrue(answer.contains("Strict-Transport-Security"), "it came by HTTPS: " + answer);
            server.close(); // notes what it has counted
            startAgain();
            assertTrue(
                    audit.events().toString().contains("127.0.0.9"),
                    audit.events().toString());
            assertFalse(
                    audit.events().toString().contains("203.0.113.7"),
                    audit.events().toString());
        }
        Await.until("the access log", () -> nginx.accessLog().contains("127.0.0.9"));
        assertFalse(nginx.accessLog().contains("in-the-query"), nginx.accessLog());
    }

    @Test
    void plainPort_sendsPagesOn_andRefusesTheApi() throws Exception {
        RawHttp.Answer page = RawHttp.ask(nginx.plainPort(), "GET /docs?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertEquals(308, page.status());
        assertEquals("https://localhost/docs?a=b", page.header("Location"));
        RawHttp.Answer call = RawHttp.ask(
                nginx.plainPort(), "POST /api/ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        assertEquals(403, call.status());
        assertEquals("https_required", call.json().get("code").asString());
    }

    private static void startAgain() {
        int port = server.port();
        server = TestServer.on(
                server.databaseUrl(), settings -> settings(settings).port(port));
    }

    private static RawStream stream(String... headers) throws IOException {
        return RawStream.open(TestTls.socket(), nginx.tlsPort(), "HTTP/1.1", STREAM, headers);
    }

    private HttpResponse<String> ingest(String id) throws Exception {
        return post("/api/ingest", TestServer.messageBody("c-nginx", id, "x"));
    }

    private HttpResponse<String> post(String path, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(nginx.uri(path))
                        .timeout(Duration.ofSeconds(60))
                        .header("Authorization", "Bearer " + TestServer.KEY)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    /** Body and status. By a program whose TLS is quick: Java's takes many seconds without its second compiler. */
    private static String curl(String path, String body) throws Exception {
        Path file = Files.writeString(folder.resolve("upload.json"), body);
        Process curl = new ProcessBuilder(
                        Programs.need("curl").toString(),
                        "-sS",
                        "--http1.1",
                        "--cacert",
                        TestTls.file("ca.crt").toString(),
                        "-H",
                        "Authorization: Bearer " + TestServer.KEY,
                        "-H",
                        "Content-Type: application/json",
                        "-w",
                        " %{http_code}",
                        "--data-binary",
                        "@" + file,
                        nginx.uri(path).toString())
                .redirectErrorStream(true)
                .start();
        return new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    private static void assertProblem(String code, HttpResponse<String> response) {
        assertTrue(response.body().contains("\"code\":\"" + code + "\""), response + response.body());
        String type = response.headers().firstValue("Content-Type").orElse("");
        assertTrue(type.startsWith("application/problem+json"), type);
    }

    /** One message, and blanks. */
    private static String session(int mib) {
        return """
                {"conversation": {"name": "large", "mode": "round-robin", "initial_prompt": "x",
                  "started_at": "2026-11-22T10:00:00Z", "status": "COMPLETED"},
                 "agents": [{"agent_type": "claude", "agent_name": "A"}],
                 "messages": [{"agent_type": "claude", "agent_name": "A", "timestamp": "2026-11-22T10:00:00Z", "content": "x"}
                """ + " ".repeat(mib * MIB) + "]}";
    }
}
