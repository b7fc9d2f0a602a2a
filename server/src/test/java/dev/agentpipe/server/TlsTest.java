package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.tls.TestTls;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Stream;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole server over TLS. */
final class TlsTest {

    private static final String STREAM = "/api/realtime/stream";

    private static TestServer server;

    @TempDir
    private static Path folder;

    @BeforeAll
    static void start() throws IOException {
        put("first");
        server = TestServer.start(
                settings -> settings.tls(folder.resolve("crt"), folder.resolve("key"), OptionalInt.empty())
                        .streamStallMax(Duration.ofMinutes(5))); // they are read one after the other
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void put(String name) throws IOException {
        for (String kind : List.of("crt", "key")) {
            Files.copy(TestTls.file(name + "." + kind), folder.resolve(kind), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void protocol_current_isSpoken(String protocol) throws Exception {
        try (SSLSocket socket = TestTls.connect(server.port())) {
            socket.setEnabledProtocols(new String[] {protocol});
            socket.startHandshake();
            assertEquals(protocol, socket.getSession().getProtocol());
            assertEquals("", socket.getApplicationProtocol());
            assertTrue(
                    socket.getSession().getCipherSuite().matches("TLS_(ECDHE_ECDSA_WITH_)?(AES|CHACHA20)_.*"),
                    socket.getSession().getCipherSuite());
        }
    }

    /** Also to clients that speak one version alone: what they offer differs. */
    @ParameterizedTest
    @CsvSource({
        "TLSv1.2, h2 http/1.1, h2",
        "TLSv1.3, h2 http/1.1, h2",
        "TLSv1.3, http/1.1 h2, h2",
        "TLSv1.3, http/1.1, http/1.1"
    })
    void http2_whereOffered_isSpoken(String protocol, String offered, String chosen) throws Exception {
        try (SSLSocket socket = TestTls.connect(server.port())) {
            socket.setEnabledProtocols(new String[] {protocol});
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(offered.split(" "));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            assertEquals(chosen, socket.getApplicationProtocol());
        }
    }

    /** Hand-made greetings, since no client of today can be made to send them. */
    @ParameterizedTest
    @CsvSource({
        "0301, c009, 46", // TLS 1.0: protocol_version
        "0302, c009, 46", // TLS 1.1
        "0303, 009c, 28", // RSA key exchange: handshake_failure
        "0303, c023, 28", // CBC
    })
    void protocol_outOfDate_isRefused(String version, String suite, String alert) throws Exception {
        String answer = answerTo(version, suite);
        assertEquals("15", answer.substring(0, 2), "an alert");
        assertEquals("0002" + "02" + alert, answer.substring(6));
    }

    private static String answerTo(String version, String suite) throws IOException {
        String hello = version + "00".repeat(32) + "00" + "0002" + suite + "0100" + "0012"
                + "000a00040002" + "0017" // groups: P-256
                + "000d00060004" + "0403" + "0401"; // signatures: ECDSA and RSA with SHA-256
        String handshake = "010000%02x".formatted(hello.length() / 2) + hello;
        String record = "160301" + "00%02x".formatted(handshake.length() / 2) + handshake;
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream().write(HexFormat.of().parseHex(record));
            return HexFormat.of().formatHex(socket.getInputStream().readNBytes(7));
        }
    }

    @Test
    void protocol_current_isTakenInAGreetingOfThatShape() throws Exception {
        assertEquals("16", answerTo("0303", "c02b").substring(0, 2), "a handshake");
    }

    @Test
    void renegotiation_isRefused() throws Exception {
        try (SSLSocket socket = TestTls.connect(server.port())) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.startHandshake();
            socket.startHandshake();
            socket.getOutputStream()
                    .write("GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThrows(IOException.class, () -> socket.getInputStream().readNBytes(1));
        }
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void answers_tellBrowsersToKeepToHttps(HttpClient.Version version) throws Exception {
        HttpResponse<String> answer = TestTls.client(version)
                .send(HttpRequest.newBuilder(server.uri("/api/health")).build(), BodyHandlers.ofString());

        assertEquals(version, answer.version());
        assertEquals(
                "max-age=31536000",
                answer.headers().firstValue("Strict-Transport-Security").orElseThrow());
    }

    @Test
    void localhost_hasOtherServersThatAreNotHttps() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + server.port() + "/api/health"))
                .build();

        assertNull(server.send(request).header("Strict-Transport-Security"));
    }

    @Test
    void session_cookieIsSecure() {
        HttpRequest request = HttpRequest.newBuilder(server.uri("/api/session"))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .POST(BodyPublishers.noBody())
                .build();

        String cookie = server.send(request).header("Set-Cookie");
        assertTrue(cookie.toLowerCase(Locale.ROOT).contains("; secure"), cookie);
    }

    /** Over HTTP/1 the length is left out, too: nobody knows it before all is read. */
    @Test
    void head_ofAnExport_tellsNoLength() {
        server.message("head", "head", "x");
        TestServer.Answer answer = server.send(HttpRequest.newBuilder(server.uri("/api/conversations/head/export"))
                .method("HEAD", BodyPublishers.noBody())
                .build());

        assertEquals(200, answer.status());
        assertEquals("nosniff", answer.header("X-Content-Type-Options"));
        assertNull(answer.header("Content-Length"));
    }

    /** HTTP/2 carries bytes in headers that clients of HTTP/1 do not even send. */
    @Test
    void cookie_ofBytesThatNoCookieHas_isNone() {
        assertEquals(
                200,
                server.get("/api/conversations", "Cookie", "agentpipe_session=ü")
                        .status());
    }

    /** Opens a stream, and returns its lines after the greeting. */
    private static Stream<String> lines(HttpClient client, String conversation, HttpClient.Version version)
            throws Exception {
        HttpRequest request = HttpRequest.newBuilder(server.uri(STREAM + "?conversationId=" + conversation))
                .build();
        HttpResponse<Stream<String>> answer = client.send(request, BodyHandlers.ofLines());
        assertEquals(200, answer.statusCode());
        assertEquals(version, answer.version());
        return answer.body();
    }

    private static List<Long> positions(Stream<String> lines, int count) {
        return lines.filter(line -> line.startsWith("id: "))
                .map(id -> Long.parseLong(id.substring(id.indexOf('-') + 1)))
                .skip(1) // of the greeting
                .limit(count)
                .toList();
    }

    private static void pass(String conversation, int batches, int size, String content) {
        for (int batch = 0; batch < batches; batch++) {
            List<String> bodies = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                bodies.add(TestServer.messageBody(conversation, conversation + "-" + batch + "-" + i, content));
            }
            TestServer.Answer answer = server.ingest("[" + String.join(",", bodies) + "]");
            assertEquals(200, answer.status(), answer::toString);
        }
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void streams_manyAtOnce_getEveryEventOnceAndInOrder(HttpClient.Version version) throws Exception {
        String conversation = "order-" + version;
        HttpClient client = TestTls.client(version);
        List<Stream<String>> streams = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            streams.add(lines(client, conversation, version));
        }
        String content = "x".repeat(300);
        pass(conversation, 30, 100, content);

        List<Long> first = null;
        for (Stream<String> lines : streams) {
            List<Long> received = positions(lines, 3_000);
            assertEquals(received.stream().sorted().distinct().toList(), received);
            assertEquals(3_000, received.size());
            assertEquals(first == null ? received : first, received);
            first = received;
        }
        streams.forEach(Stream::close);
        Await.until("all have left", () -> openStreams() == 0);
    }

    private static int openStreams() {
        return server.get("/api/health").json().at("/checks/stream/connections").asInt();
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void certificate_changed_newConnectionsGetItAndStreamsGoOn(HttpClient.Version version) throws Exception {
        String before = subject();
        try (Stream<String> lines = lines(TestTls.client(version), "reload-" + version, version)) {
            put(before.equals("CN=first.test") ? "second" : "first");
            Await.until("the new certificate", () -> !subject().equals(before));

            server.message("reload-" + version, "reload-" + version, "after the change");
            assertEquals(1, positions(lines, 1).size());
        }
        assertNotEquals(before, subject());
    }

    /** Of the certificate that a new connection gets. */
    private static String subject() {
        try (SSLSocket socket = TestTls.connect(server.port())) {
            socket.startHandshake();
            return ((X509Certificate) socket.getSession().getPeerCertificates()[0])
                    .getSubjectX500Principal()
                    .getName();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
