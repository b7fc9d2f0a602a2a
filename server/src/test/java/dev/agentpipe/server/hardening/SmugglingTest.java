package dev.agentpipe.server.hardening;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Requests about whose head or end two servers may disagree. Each is followed by another one on the same connection, which
 * must never be run, and which is not even answered: the connection ends.
 */
final class SmugglingTest {

    private static final String MESSAGE = TestServer.messageBody("smuggled", "first", "x");
    private static final int LENGTH = MESSAGE.length();
    private static final String HEX = Integer.toHexString(LENGTH);
    private static final String CHUNK = HEX + "\r\n" + MESSAGE + "\r\n";
    private static final String SECOND = RawHttp.post(TestServer.messageBody("smuggled", "second", "x"));

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

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

    /** A request with the key and these lines in its head, and this body. */
    private static String post(String lines, String body) {
        return request("POST /api/ingest HTTP/1.1\r\nHost: localhost", lines, body);
    }

    private static String request(String begin, String lines, String body) {
        return begin + "\r\nAuthorization: Bearer " + TestServer.KEY + "\r\nContent-Type: application/json\r\n" + lines
                + "\r\n\r\n" + body;
    }

    private static String chunked(String body) {
        return post("Transfer-Encoding: chunked", body);
    }

    private static Arguments of(String name, String request) {
        return Arguments.of(name, request);
    }

    private static Stream<Arguments> lengths() {
        String length = "Content-Length: " + LENGTH;
        return Stream.of(
                of("length and encoding", post(length + "\r\nTransfer-Encoding: chunked", CHUNK + "0\r\n\r\n")),
                of("encoding and length", post("Transfer-Encoding: chunked\r\n" + length, CHUNK + "0\r\n\r\n")),
                of("two lengths", post(length + "\r\nContent-Length: 0", MESSAGE)),
                of("the same length twice", post(length + "\r\n" + length, MESSAGE)),
                of("two lengths in one", post(length + ", 0", MESSAGE)),
                of("length with a plus", post("Content-Length: +" + LENGTH, MESSAGE)),
                of("length below zero", post("Content-Length: -1", MESSAGE)),
                of("length in hexadecimal", post("Content-Length: 0x" + HEX, MESSAGE)),
                of("length with a fraction", post(length + ".0", MESSAGE)),
                of("no length", post("Content-Length:", MESSAGE)),
                of("length beyond 64 bits", post("Content-Length: 1" + "0".repeat(40) + LENGTH, MESSAGE)),
                of("length that wraps around", post("Content-Length: " + wrapped(), MESSAGE)),
                of("two encodings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", CHUNK)),
                of("identity and chunked", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", CHUNK)),
                of("chunked, identity", post("Transfer-Encoding: chunked, identity", CHUNK + "0\r\n\r\n")),
                of("identity, chunked", post("Transfer-Encoding: identity, chunked", CHUNK + "0\r\n\r\n")),
                of("gzip, chunked", post("Transfer-Encoding: gzip, chunked", CHUNK + "0\r\n\r\n")),
                of("gzip", post("Transfer-Encoding: gzip", CHUNK + "0\r\n\r\n")),
                of("identity", post("Transfer-Encoding: identity", MESSAGE)),
                of("xchunked", post("Transfer-Encoding: xchunked", CHUNK + "0\r\n\r\n")),
                of("quoted", post("Transfer-Encoding: \"chunked\"", CHUNK + "0\r\n\r\n")),
                of("no encoding", post("Transfer-Encoding:", CHUNK + "0\r\n\r\n")),
                of("vertical tab", post("Transfer-Encoding: \u000bchunked", CHUNK + "0\r\n\r\n")),
                of(
                        "encoding of HTTP/1.0",
                        request(
                                "POST /api/ingest HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive",
                                "Transfer-Encoding: chunked",
                                CHUNK + "0\r\n\r\n")));
    }

    /** 2^64 more than the body has. */
    private static String wrapped() {
        return new java.math.BigInteger("18446744073709551616")
                .add(java.math.BigInteger.valueOf(LENGTH))
                .toString();
    }

    private static Stream<Arguments> chunks() {
        String size = "X".repeat(300);
        return Stream.of(
                of("size that is none", chunked(CHUNK + "x\r\n\r\n")),
                of("size left out", chunked(CHUNK + "\r\n0\r\n\r\n")),
                of("size below zero", chunked("-" + CHUNK + "0\r\n\r\n")),
                of("size with a plus", chunked("+" + CHUNK + "0\r\n\r\n")),
                of("size with 0x", chunked("0x" + CHUNK + "0\r\n\r\n")),
                of("size after a space", chunked(" " + CHUNK + "0\r\n\r\n")),
                of("size with an underscore", chunked("0_" + CHUNK + "0\r\n\r\n")),
                of("size of 2^58", chunked(CHUNK + "400000000000000\r\n\r\n")),
                of("size of 2^62", chunked(CHUNK + "4000000000000000\r\n\r\n")),
                of("size of 2^64", chunked(CHUNK + "10000000000000000\r\n\r\n")),
                of("size of nine digits", chunked("0".repeat(9 - HEX.length()) + CHUNK + "0\r\n\r\n")),
                of("line feed after a size", chunked(HEX + "\n" + MESSAGE + "\r\n0\r\n\r\n")),
                of("line feed after a chunk", chunked(HEX + "\r\n" + MESSAGE + "\n0\r\n\r\n")),
                of("line feeds at the end", chunked(CHUNK + "0\n\n")),
                of("carriage return alone", chunked(HEX + "\r" + MESSAGE + "\r0\r\r")),
                of("more than the size says", chunked(HEX + "\r\n" + MESSAGE + "more\r\n0\r\n\r\n")),
                of(
                        "less than the size says",
                        chunked(Integer.toHexString(LENGTH + 1) + "\r\n" + MESSAGE + "\r\n0\r\n\r\n")),
                of("line feed in an extension", chunked(HEX + ";a\n" + MESSAGE + "\r\n0\r\n\r\n")),
                of("NUL in an extension", chunked(HEX + ";a\0b\r\n" + MESSAGE + "\r\n0\r\n\r\n")),
                of("endless extension", chunked(HEX + ";" + size + "\r\n" + MESSAGE + "\r\n0\r\n\r\n")),
                of("line feed in trailers", chunked(CHUNK + "0\r\na: b\n\r\n\r\n")),
                of("endless trailers", chunked(CHUNK + "0\r\n" + ("a: " + size + "\r\n").repeat(40) + "\r\n")));
    }

    private static Stream<Arguments> heads() {
        String length = "Content-Length: " + LENGTH;
        String line = "POST /api/ingest HTTP/1.1\r\n";
        return Stream.of(
                of("no host", request("POST /api/ingest HTTP/1.1", length, MESSAGE)),
                of("two hosts", request(line + "Host: localhost\r\nHost: evil.test", length, MESSAGE)),
                of("space before the colon", post(length + "\r\nTransfer-Encoding : chunked", MESSAGE)),
                of("tab before the colon", post("Content-Length\t: " + LENGTH, MESSAGE)),
                of("no colon", post(length + "\r\nTransfer-Encoding chunked", MESSAGE)),
                of("no name", post(length + "\r\n: x", MESSAGE)),
                of("fold of the first line", request(line + " Host: localhost", length, MESSAGE)),
                of("NUL in a value", post(length + "\r\nX-A: a\0b", MESSAGE)),
                of("NUL in a name", post(length + "\r\nX-\0A: b", MESSAGE)),
                of("line feeds for ends", post(length, "").replace("\r\n", "\n") + MESSAGE),
                of("line feed in a value", post("X-A: b\n" + length, MESSAGE)),
                of("carriage return in a value", post("X-A: b\rX-B: c\r\n" + length, MESSAGE)),
                of("end of the head by line feeds", post(length + "\n\n", MESSAGE)),
                of("name not of ASCII", post(length + "\r\nX-\u00e4: b", MESSAGE)),
                of("name with a bracket", post(length + "\r\nX-(A: b", MESSAGE)),
                of("line feed for a space", request("POST\n/api/ingest HTTP/1.1\r\nHost: localhost", length, MESSAGE)),
                of("two spaces", request("POST  /api/ingest HTTP/1.1\r\nHost: localhost", length, MESSAGE)),
                of("space in the path", request("POST /api/ ingest HTTP/1.1\r\nHost: localhost", length, MESSAGE)),
                of("HTTP/0.9", "POST /api/ingest\r\n"),
                of("HTTP/1.1 in lower case", request("POST /api/ingest http/1.1\r\nHost: localhost", length, MESSAGE)),
                of("HTTP/2.0", request("POST /api/ingest HTTP/2.0\r\nHost: localhost", length, MESSAGE)),
                of("HTTP/2 by its preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
                of("no HTTP at all", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000"),
                of(
                        "a path with a line",
                        request("POST /api/ingest\r\nX: HTTP/1.1\r\nHost: localhost", length, MESSAGE)),
                of("an endless method", "P".repeat(40) + " / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                of("an endless path", "GET /" + "x".repeat(40_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                of("an endless value", post(length + "\r\nX-A: " + "x".repeat(40_000), MESSAGE)),
                of("too many headers", post(length + "\r\nX-A: b".repeat(100), MESSAGE)),
                of(
                        "too many parameters",
                        "GET /api/health?" + "a=b&".repeat(301) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    private static Stream<Arguments> attacks() {
        return Stream.of(lengths(), chunks(), heads()).flatMap(cases -> cases);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("attacks")
    void request_ofDoubtfulFraming_isRefusedAndEndsTheConnection(String name, String request) throws IOException {
        String before = stored.fingerprint();
        String answers;
        try (RawHttp http = RawHttp.open(server.port())) {
            http.write((request + SECOND).getBytes(StandardCharsets.ISO_8859_1));
            answers = http.readToEnd();
        }

        List<String> statuses =
                STATUS.matcher(answers).results().map(found -> found.group(1)).toList();
        assertTrue(statuses.size() <= 1, answers);
        assertTrue(statuses.isEmpty() || statuses.get(0).startsWith("4"), answers);
        assertFalse(answers.contains("message_id"), answers);
        assertEquals(before, stored.fingerprint());
    }

    /** What is odd, and one reading of it alone is possible. */
    @Test
    void request_thatIsOnlyOdd_isTaken_andSoIsTheNext() throws IOException {
        List<String> odd = List.of(
                chunked(HEX + ";a=b; c=\"d\"\r\n" + MESSAGE + "\r\n0\r\n\r\n"),
                chunked(HEX.toUpperCase(java.util.Locale.ROOT) + " \r\n" + MESSAGE + "\r\n000\r\n\r\n"),
                chunked(CHUNK + "0\r\nContent-Length: 5\r\nAuthorization: x\r\n\r\n"),
                post("transfer-encoding: CHUNKED", CHUNK + "0\r\n\r\n"),
                post("X-Folded: a\r\n Transfer-Encoding: chunked\r\nContent-Length: " + LENGTH, MESSAGE),
                request(
                        "POST http://localhost/api/ingest HTTP/1.1\r\nHost: localhost",
                        "Content-Length: " + LENGTH,
                        MESSAGE));
        String next = "GET /api/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for (String request : odd) {
            try (RawHttp http = RawHttp.open(server.port())) {
                http.write(request + next);
                assertTrue(http.read().status() <= 201, request);
                assertEquals("live", http.read().json().get("status").stringValue());
            }
            try (RawHttp http = RawHttp.open(server.port())) { // however it is cut
                for (byte one : (request + next).getBytes(StandardCharsets.US_ASCII)) {
                    http.write(new byte[] {one});
                }
                assertTrue(http.read().status() <= 201, request);
                assertEquals("live", http.read().json().get("status").stringValue());
            }
        }
        assertEquals(1, stored.count("messages", "conversation_id = 'smuggled'"));
        stored.execute("truncate events, event_identities, conversations, messages, conversation_agents");
    }
}
