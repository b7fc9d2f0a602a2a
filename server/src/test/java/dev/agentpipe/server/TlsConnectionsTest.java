package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.TestTls;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xnio.XnioWorker;

/** Connections over TLS that waste time, and the plain port beside it. */
final class TlsConnectionsTest {

    private static final HttpServer.Limits SHORT =
            new HttpServer.Limits(Duration.ofMillis(600), Duration.ofSeconds(2), Duration.ofSeconds(2));

    private final XnioWorker worker = HttpServer.worker();
    private HttpServer server;
    private int tls;
    private int plain;

    @BeforeEach
    void start() throws Exception {
        Certificates certificates =
                new Certificates(TestTls.file("first.crt"), TestTls.file("first.key"), Clock.systemUTC());
        server = new HttpServer(
                new Settings.Listen("127.0.0.1", 0),
                Optional.of(
                        new HttpServer.Https(certificates, OptionalInt.of(0), exchange -> answer(exchange, "health"))),
                worker,
                ConnectionLimit.of(1, address -> false),
                exchange -> answer(exchange, "secure"),
                SHORT);
        tls = server.uri().getPort();
        plain = server.redirectPort().getAsInt();
    }

    private static void answer(HttpServerExchange exchange, String who) {
        Replies.json(exchange, 200, Map.of("who", who));
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        HttpServer.stop(worker);
    }

    @Test
    void handshake_notBegun_isCutOff() throws IOException {
        try (RawHttp http = RawHttp.open(tls)) {
            http.awaitEnd();
        }
    }

    @Test
    void handshake_unfinished_isCutOff() throws IOException {
        try (RawHttp http = RawHttp.open(tls)) {
            http.write(new byte[] {0x16, 3, 1, 2, 0, 1}).awaitEnd();
        }
    }

    @Test
    void connection_idle_isClosedInOrder() throws IOException {
        try (SSLSocket socket = TestTls.connect(tls)) {
            socket.startHandshake();
            assertEquals(-1, socket.getInputStream().read());
        }
        try (SSLSocket socket = TestTls.connect(tls)) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            assertEquals("{\"who\":\"secure\"}", answer.substring(answer.indexOf('{')));
        }
    }

    @Test
    void head_unfinished_isCutOff() throws IOException {
        try (SSLSocket socket = TestTls.connect(tls)) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nX-Slow: ".getBytes(StandardCharsets.US_ASCII));
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    @Test
    void plainText_toTheTlsPort_isNotAnswered() throws IOException {
        try (Socket socket = new Socket("127.0.0.1", tls)) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            assertEquals(-1, answer.indexOf("HTTP"), answer);
        }
    }

    private RawHttp.Answer ask(String requestLine, String... headers) throws IOException {
        return RawHttp.ask(plain, RawHttp.head(requestLine, 0, headers));
    }

    @ParameterizedTest
    @CsvSource({
        "GET, agentpipe.test, /, https://agentpipe.test:PORT/",
        "HEAD, agentpipe.test, /, https://agentpipe.test:PORT/",
        "GET, agentpipe.test:8080, /api/docs?x=%0d%0a#, https://agentpipe.test:PORT/api/docs?x=%0d%0a",
        "GET, agentpipe.test, /api/docs/style.css, https://agentpipe.test:PORT/api/docs/style.css",
        "GET, 192.0.2.1, //evil.test/, https://192.0.2.1:PORT//evil.test/",
        "GET, [2001:db8::1]:80, /a%20b, https://[2001:db8::1]:PORT/a%20b",
    })
    void page_isSentOnToHttps(String method, String host, String uri, String location) throws IOException {
        try (RawHttp http = RawHttp.open(plain)) {
            String target = uri.replace("#", "");
            http.write(RawHttp.head(method + " " + target + " HTTP/1.1", 0, "Host", host));
            RawHttp.Answer answer = http.read(false);
            assertEquals(308, answer.status());
            assertEquals(location.replace("PORT", Integer.toString(tls)), answer.header("Location"));
            assertNull(answer.header("Strict-Transport-Security"), "browsers ignore it there");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "POST /api/ingest",
                "GET /api/conversations",
                "GET /api",
                "GET /api/realtime/stream",
                "POST /api/session",
                "POST /",
                "OPTIONS /api/docs",
                "GET /api/healthy",
                "GET /api/../api/ingest",
            })
    void anythingElse_isRefusedWithoutAWordOfTheKey(String request) throws IOException {
        RawHttp.Answer answer = ask(request + " HTTP/1.1");

        assertEquals(403, answer.status());
        assertEquals("https_required", answer.json().get("code").asString());
        assertNull(answer.header("Location"));
        assertEquals(-1, (answer.headers() + answer.body()).indexOf(TestServer.KEY));
    }

    @ParameterizedTest
    @ValueSource(strings = {"evil test", "a/b", "a@b", "a\\b", "", "[::1", "x:y"})
    void page_forAHostThatIsNone_isSentNowhere(String host) throws IOException {
        RawHttp.Answer answer = ask("GET / HTTP/1.1", "Host", host);

        assertNull(answer.header("Location"), answer::toString);
        assertEquals(4, answer.status() / 100);
    }

    @Test
    void page_namedByAWholeUrl_isSentNowhere() throws IOException {
        for (String host : List.of("evil.test", "localhost")) {
            RawHttp.Answer answer = ask("GET http://" + host + "/ HTTP/1.1");
            assertNull(answer.header("Location"), answer::toString);
            assertEquals(4, answer.status() / 100);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/api/health", "/api/health/live", "/api/health/ready"})
    void health_isAnswered(String path) throws IOException {
        assertEquals("{\"who\":\"health\"}", ask("GET " + path + " HTTP/1.1").body());
    }
}
