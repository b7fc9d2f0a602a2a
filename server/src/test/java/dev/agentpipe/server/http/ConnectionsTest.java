package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.RawHttp.Answer;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** Requests to ingest as they come over the wire: whole, in pieces, many on a connection, and with an end too early. */
final class ConnectionsTest {

    private static final int TOO_LARGE = 9 << 20;

    @AutoClose
    private static final TestServer server = TestServer.start();

    @AutoClose
    private static final Stored stored = new Stored(server);

    private static String message(String id) {
        return TestServer.messageBody("c", id, "x");
    }

    private static RawHttp open() throws IOException {
        return RawHttp.open(server.port());
    }

    @Test
    void connection_ofGo_carriesFiftyRequests() throws IOException {
        try (RawHttp http = open()) {
            for (int i = 0; i < 50; i++) {
                Answer answer = http.write(RawHttp.post(message("kept-" + i), "User-Agent", "Go-http-client/1.1"))
                        .read();
                assertEquals(201, answer.status());
                assertNull(answer.header("Connection"));
            }
        }
        assertEquals(50, stored.count("messages", "message_id like 'kept-%'"));
    }

    @Test
    void connection_survivesErrors() throws IOException {
        try (RawHttp http = open()) {
            for (int i = 0; i < 3; i++) {
                assertEquals(400, http.write(RawHttp.post("{")).read().status());
                assertEquals(
                        401,
                        http.write(RawHttp.post(message("no"), "Authorization", "no"))
                                .read()
                                .status());
                assertEquals(
                        415,
                        http.write(RawHttp.post("x", "Content-Type", "text/plain"))
                                .read()
                                .status());
                assertEquals(
                        404,
                        http.write(RawHttp.head("POST /nowhere HTTP/1.1", 3) + "abc")
                                .read()
                                .status());
                assertEquals(
                        405,
                        http.write(RawHttp.head("PUT /api/ingest HTTP/1.1", 3) + "abc")
                                .read()
                                .status());
                assertEquals(
                        201,
                        http.write(RawHttp.post(message("after-errors-" + i)))
                                .read()
                                .status());
            }
        }
    }

    @Test
    void requests_pipelined_areAnsweredInOrder() throws IOException {
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            requests.append(RawHttp.post(message("piped-" + i)));
            requests.append("GET /api/health/live HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        try (RawHttp http = open()) {
            http.write(requests.toString());
            for (int i = 0; i < 20; i++) {
                assertEquals("piped-" + i, http.read().json().get("message_id").stringValue());
                assertEquals("live", http.read().json().get("status").stringValue());
            }
        }
    }

    @Test
    void http10_evenWithKeepAlive_isAnsweredAndClosed() throws IOException {
        for (String connection : new String[] {null, "keep-alive"}) {
            try (RawHttp http = open()) {
                String body = message("http10-" + connection);
                String head = RawHttp.head(
                        "POST /api/ingest HTTP/1.0", body.length(), "Host", null, "Connection", connection);
                Answer answer = http.write(head + body).read();
                assertEquals(201, answer.status());
                assertEquals("close", answer.header("Connection"));
                http.awaitEnd();
            }
        }
    }

    @Test
    void close_asked_isAnsweredAndClosed() throws IOException {
        try (RawHttp http = open()) {
            Answer answer = http.write(RawHttp.post(message("close"), "Connection", "close"))
                    .read();
            assertEquals(201, answer.status());
            assertEquals("close", answer.header("Connection"));
            http.awaitEnd();
        }
    }

    @Test
    void expectation_met_getsItsContinueFirst() throws IOException {
        try (RawHttp http = open()) {
            for (String id : new String[] {"expected-1", "expected-2"}) {
                String body = message(id);
                http.write(RawHttp.head("POST /api/ingest HTTP/1.1", body.length(), "Expect", "100-continue"));
                assertEquals(100, http.read().status());
                assertEquals(201, http.write(body).read().status());
            }
        }
    }

    @Test
    void expectation_refused_isToldBeforeTheBodyAndClosed() throws IOException {
        assertRefused(401, "Authorization", "Bearer wrong-key", "Content-Length", "100");
        assertRefused(415, "Content-Type", "text/plain", "Content-Length", "100");
        assertRefused(413, "Content-Length", Integer.toString(TOO_LARGE));
    }

    /** Kept open, the connection's next request would be taken for the body that was left out. */
    private static void assertRefused(int status, String... headers) throws IOException {
        try (RawHttp http = open()) {
            String head = RawHttp.head("POST /api/ingest HTTP/1.1", 0, headers);
            Answer answer = http.write(head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"))
                    .read();
            assertEquals(status, answer.status());
            assertEquals("close", answer.header("Connection"));
            http.awaitEnd();
        }
    }

    @Test
    void body_inChunks_isRead() throws IOException {
        try (RawHttp http = open()) {
            for (int size : new int[] {1, 7, 10_000}) {
                String body = message("chunks-" + size);
                StringBuilder chunks = new StringBuilder(RawHttp.head(
                        "POST /api/ingest HTTP/1.1", 0, "Content-Length", null, "Transfer-Encoding", "chunked"));
                for (int from = 0; from < body.length(); from += size) {
                    String chunk = body.substring(from, Math.min(body.length(), from + size));
                    chunks.append(Integer.toHexString(chunk.length()))
                            .append("\r\n")
                            .append(chunk)
                            .append("\r\n");
                }
                assertEquals(201, http.write(chunks + "0\r\n\r\n").read().status());
            }
        }
        assertEquals(3, stored.count("messages", "message_id like 'chunks-%'"));
    }

    @Test
    void body_byteByByte_isRead() throws IOException {
        try (RawHttp http = open()) {
            for (byte one : RawHttp.post(message("bytes")).getBytes(StandardCharsets.UTF_8)) {
                http.write(new byte[] {one});
            }
            assertEquals(201, http.read().status());
        }
    }

    @Test
    void client_thatHalfClosesAfterTheLastByte_isAnswered() throws IOException {
        try (RawHttp http = open()) {
            Answer answer =
                    http.write(RawHttp.post(message("half-closed"))).endOutput().read();
            assertEquals(201, answer.status());
            http.awaitEnd();
        }
    }

    @Test
    void client_thatVanishesAfterTheLastByte_isStored() throws IOException {
        String conversation = "vanished";
        try (RawStream stream = server.stream("/api/stream?conversationId=" + conversation)) {
            stream.block();
            for (int i = 0; i < 20; i++) {
                RawHttp http = open().write(RawHttp.post(TestServer.messageBody(conversation, "v-" + i, "x")));
                if (i % 2 == 0) {
                    http.close();
                } else {
                    http.endOutput().close();
                }
            }
            assertEquals(20, stream.events(20).size());
        }
        assertEquals(20, stored.count("messages", "conversation_id = ?", conversation));
    }

    @Test
    void client_thatVanishesInTheMiddle_leavesNothing() throws IOException {
        String body = message("cut");
        String before = stored.fingerprint();
        for (int i = 0; i < 20; i++) {
            RawHttp http = open().write(RawHttp.head("POST /api/ingest HTTP/1.1", body.length()))
                    .write(body.substring(0, body.length() - 1));
            if (i % 2 == 0) {
                http.reset();
            } else {
                http.close();
            }
        }
        // Their I/O threads have seen them go once these are answered; had they stored anything, it would be there.
        for (int i = 0; i < 4; i++) {
            assertEquals(201, server.ingest(message("after-the-cut-" + i)).status());
        }
        assertEquals(0, stored.count("messages", "message_id = 'cut'"));
        assertTrue(!before.equals(stored.fingerprint()));
    }

    @Test
    void body_tooLarge_isReadToItsEndSoThatTheAnswerArrives() throws IOException {
        byte[] large = new byte[TOO_LARGE];
        try (RawHttp http = open()) {
            http.write(RawHttp.head("POST /api/ingest HTTP/1.1", TOO_LARGE)).write(large);
            assertTooLarge(http.read());
            assertEquals(
                    201, http.write(RawHttp.post(message("after-large"))).read().status());
        }
        try (RawHttp http = open()) {
            http.write(RawHttp.head("POST /api/ingest HTTP/1.1", TOO_LARGE, "Connection", "close"))
                    .write(large);
            assertTooLarge(http.read());
            http.awaitEnd();
        }
        for (String connection : new String[] {"close", "keep-alive"}) {
            try (RawHttp http = open()) {
                http.write(RawHttp.head(
                        "POST /api/ingest HTTP/1.1",
                        0,
                        "Content-Length",
                        null,
                        "Transfer-Encoding",
                        "chunked",
                        "Connection",
                        connection));
                http.write(Integer.toHexString(TOO_LARGE) + "\r\n").write(large).write("\r\n0\r\n\r\n");
                assertTooLarge(http.read());
            }
        }
        TestServer.Answer answer = server.ingest(large);
        assertEquals(413, answer.status());
        assertEquals("request_too_large", answer.json().get("code").stringValue());
    }

    private static void assertTooLarge(Answer answer) {
        assertEquals(413, answer.status());
        assertEquals("request_too_large", answer.json().get("code").stringValue());
    }

    /** As behind nginx, which uses a connection for one request unless it is told otherwise. */
    @Test
    void body_refusedUnread_onAConnectionForOneRequest_doesNotCutTheAnswerOff() throws IOException {
        byte[] half = new byte[1 << 20];
        for (String version : new String[] {"HTTP/1.0", "HTTP/1.1"}) {
            for (String path : new String[] {"/api/ingest", "/nowhere", "/api/health"}) {
                try (RawHttp http = open()) {
                    http.write(RawHttp.head(
                            "POST " + path + " " + version,
                            2 * half.length,
                            "Authorization",
                            "x",
                            "Connection",
                            "close"));
                    http.write(half).write(half);
                    int status = http.read().status();
                    assertEquals(path.equals("/api/ingest") ? 401 : path.equals("/nowhere") ? 404 : 405, status);
                    http.awaitEnd();
                }
            }
        }
    }
}
