package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.MemoryEventLog;
import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.stream.StreamHandler;
import dev.agentpipe.server.stream.Streams;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.PathHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xnio.XnioWorker;

/** Streams are beyond the limits of connections that keep the server waiting: to Undertow they are requests under way. */
final class StreamTimeoutTest {

    private static final Duration SHORT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String STREAM = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private final XnioWorker worker = HttpServer.worker();
    private final MemoryEventLog log = new MemoryEventLog(10);
    private Streams streams;
    private LogTail tail;
    private HttpServer http;

    @BeforeEach
    void makeStreams() {
        Settings.Streams settings = Settings.builder()
                .streamHeartbeat(Duration.ofMillis(100))
                .build()
                .streams();
        streams = new Streams(log, log.state(), Broadcaster.Limits.DEFAULT, settings, worker);
        tail = new LogTail(log, 0, LONG, streams.broadcaster()).start();
    }

    private void start() {
        HttpHandler routes = new PathHandler(exchange -> exchange.endExchange())
                .addExactPath(
                        "/stream",
                        new StreamHandler(streams, log, tail, log.state().epoch()));
        http = new HttpServer(
                new Settings.Listen("127.0.0.1", 0),
                worker,
                ConnectionLimit.of(1, address -> false),
                new BrowserRules(List.of()),
                routes,
                new HttpServer.Limits(SHORT, SHORT, SHORT));
    }

    @AfterEach
    void stop() throws InterruptedException {
        streams.close();
        http.close();
        tail.close();
        HttpServer.stop(worker);
    }

    @Test
    void stream_longerThanAllLimits_staysOpen() throws Exception {
        start();
        try (Socket socket = connect()) {
            send(socket, STREAM);
            assertStaysOpen(socket);
        }
    }

    @Test
    void stream_afterARequestAndInTwoPieces_staysOpen() throws Exception {
        start();
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
        socket.connect(new InetSocketAddress("127.0.0.1", http.uri().getPort()));
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

    /** Until ten heartbeats have come, three times the limits. */
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
