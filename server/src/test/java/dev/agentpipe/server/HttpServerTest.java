package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.log.MemoryEventLog;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connections that are silent, with timeouts short enough to be waited for. */
final class HttpServerTest {

    private static final Duration SHORT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String STREAM = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private BareServer server;

    private void start(Duration idle, Duration parse) {
        MemoryEventLog log = new MemoryEventLog(10);
        server = new BareServer(log, log.state(), new HttpServer.Timeouts(idle, parse));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void halfARequest_isClosedAfterTheParseTimeout() throws Exception {
        start(LONG, SHORT);
        try (Socket socket = connect()) {
            send(socket, "GET / HTTP/1.1\r\nHost:");
            assertClosedAfter(SHORT, socket);
        }
    }

    @Test
    void noRequest_isClosedAfterTheIdleTimeout() throws Exception {
        start(SHORT, LONG);
        try (Socket socket = connect()) {
            assertClosedAfter(SHORT, socket);
        }
    }

    @Test
    void noSecondRequest_isClosedAfterTheIdleTimeout() throws Exception {
        start(SHORT, LONG);
        try (Socket socket = connect()) {
            request(socket);
            assertClosedAfter(SHORT, socket);
        }
    }

    @Test
    void stream_longerThanBothTimeouts_staysOpen() throws Exception {
        start(SHORT, SHORT);
        try (Socket socket = connect()) {
            send(socket, STREAM);
            assertStaysOpen(socket);
        }
    }

    @Test
    void stream_afterARequestAndInTwoPieces_staysOpen() throws Exception {
        start(SHORT, SHORT);
        try (Socket socket = connect()) {
            request(socket);
            send(socket, STREAM.substring(0, 9));
            assertEquals(0, socket.getInputStream().available());
            send(socket, STREAM.substring(9));
            assertStaysOpen(socket);
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
        socket.connect(new InetSocketAddress("127.0.0.1", server.port()));
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** One that is answered with an empty body. */
    private static void request(Socket socket) throws IOException {
        send(socket, "GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) socket.getInputStream().read());
        }
        assertTrue(head.toString().contains("ontent-Length: 0"), head::toString);
    }

    private static void assertClosedAfter(Duration timeout, Socket socket) throws IOException {
        long start = System.nanoTime();
        assertEquals(-1, socket.getInputStream().read());
        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        assertTrue(millis > timeout.toMillis() / 2, "after " + millis + " ms");
    }

    /** Until ten heartbeats have come, three times the timeouts. */
    private static void assertStaysOpen(Socket socket) throws IOException {
        InputStream in = socket.getInputStream();
        StringBuilder text = new StringBuilder();
        long start = System.nanoTime();
        while (text.toString().split(":heartbeat", -1).length <= 10) {
            int next = in.read();
            assertTrue(next >= 0, () -> "cut after " + text);
            text.append((char) next);
        }
        assertTrue(System.nanoTime() - start > 2 * SHORT.toNanos(), "long enough to be cut");
    }
}
