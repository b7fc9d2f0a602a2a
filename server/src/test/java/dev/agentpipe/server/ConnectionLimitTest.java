package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.undertow.server.DefaultByteBufferPool;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xnio.OptionMap;
import org.xnio.XnioWorker;

/** Clients come from several addresses of the loopback network. */
final class ConnectionLimitTest {

    private static final int PER_ADDRESS = 20;
    private static final int ALL = 50;
    private static final String EXEMPT = "127.0.0.9";

    private final AtomicLong nanos = new AtomicLong();
    private final ConnectionLimit limit = new ConnectionLimit(
            PER_ADDRESS, ALL, address -> address.getHostAddress().equals(EXEMPT), nanos::get);
    private final XnioWorker worker = HttpServer.worker();
    private final List<Socket> sockets = new ArrayList<>();
    private PlainListener listener;

    @BeforeEach
    void start() throws IOException {
        listener = new PlainListener(
                new InetSocketAddress("127.0.0.1", 0),
                worker,
                new DefaultByteBufferPool(true, 1 << 10),
                OptionMap.EMPTY,
                limit,
                exchange -> exchange.getResponseSender().send("x"));
    }

    @AfterEach
    void stop() throws Exception {
        for (Socket socket : sockets) {
            socket.close();
        }
        listener.close();
        HttpServer.stop(worker);
    }

    private Socket connect(String from) throws IOException {
        Socket socket = new Socket();
        sockets.add(socket);
        socket.setSoTimeout(20_000);
        socket.bind(new InetSocketAddress(InetAddress.getByName(from), 0));
        socket.connect(listener.address());
        return socket;
    }

    private static boolean isServed(Socket socket) throws IOException {
        try {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = new byte[17];
            return socket.getInputStream().readNBytes(answer, 0, answer.length) == answer.length;
        } catch (SocketException closed) {
            return false;
        }
    }

    /** One that is there, whether anything comes over it or not. */
    private void fill(String from, int count) throws IOException {
        int before = limit.counted();
        for (int i = 0; i < count; i++) {
            connect(from);
        }
        Await.until("accepted", () -> limit.counted() == before + count);
    }

    @Test
    void address_withAsManyAsItMay_getsNoMore_andOthersDo() throws IOException {
        fill("127.0.0.2", PER_ADDRESS - 1);
        Socket last = connect("127.0.0.2");
        assertTrue(isServed(last));
        assertTrue(!isServed(connect("127.0.0.2")));
        assertTrue(isServed(last), "those that are there stay");
        assertTrue(isServed(connect("127.0.0.3")));
    }

    @Test
    void address_whoseConnectionsHaveEnded_getsNewOnes() throws IOException {
        for (int i = 0; i < 10 * ALL; i++) {
            Socket socket = connect("127.0.0.2");
            assertTrue(isServed(socket), "number " + i);
            // To its end: so the server has closed it, too.
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
            socket.close();
        }
        assertTrue(limit.counted() <= PER_ADDRESS);
    }

    @Test
    void all_together_areBounded() throws IOException {
        fill("127.0.0.2", PER_ADDRESS);
        fill("127.0.0.3", PER_ADDRESS);
        fill("127.0.0.4", ALL - 2 * PER_ADDRESS);
        assertTrue(!isServed(connect("127.0.0.5")));
        assertTrue(isServed(connect(EXEMPT)), "a proxy, and the machine itself, are counted nowhere");
        assertEquals(ALL, limit.counted());
    }

    @Test
    void refusals_areToldOnceAMinute() throws IOException {
        try (CapturedLog log = new CapturedLog(ConnectionLimit.class.getName())) {
            fill("127.0.0.2", PER_ADDRESS);
            assertTrue(!isServed(connect("127.0.0.2")));
            assertTrue(!isServed(connect("127.0.0.2")));
            nanos.addAndGet(Duration.ofMinutes(1).toNanos());
            assertTrue(!isServed(connect("127.0.0.2")));
            assertEquals(
                    List.of(
                            "There are too many connections: 1 were refused so far, the last from 127.0.0.2",
                            "There are too many connections: 3 were refused so far, the last from 127.0.0.2"),
                    log.events().stream()
                            .map(event -> event.getFormattedMessage())
                            .toList());
        }
    }
}
