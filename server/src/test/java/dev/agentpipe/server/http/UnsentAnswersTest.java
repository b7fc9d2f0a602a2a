package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import io.undertow.Undertow;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.xnio.Options;

final class UnsentAnswersTest {

    private static final int SIZE = 8 << 20;
    private static final Duration LONG = Duration.ofMinutes(10);

    private final AtomicInteger asked = new AtomicInteger();
    private UnsentAnswers answers;
    private Undertow undertow;

    private void start(long bytesMax, Duration stallMax, byte[] body) {
        answers = new UnsentAnswers(bytesMax, stallMax);
        undertow = Undertow.builder()
                .addHttpListener(0, "127.0.0.1")
                .setIoThreads(2)
                .setSocketOption(Options.SEND_BUFFER, 128 << 10)
                .setHandler(exchange -> {
                    answers.send(exchange, body);
                    asked.incrementAndGet();
                })
                .build();
        undertow.start();
    }

    @AfterEach
    void stop() {
        undertow.stop();
    }

    /** One that has asked, and its answer is under way. */
    private Socket ask() throws IOException {
        int before = asked.get();
        Socket client = new Socket();
        client.setReceiveBufferSize(16 << 10);
        client.setSoTimeout(20_000);
        client.connect((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress());
        client.getOutputStream()
                .write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        Await.until("asked", () -> asked.get() > before);
        return client;
    }

    private static long readToEnd(Socket client) throws IOException {
        long count = 0;
        byte[] some = new byte[64 << 10];
        InputStream in = client.getInputStream();
        try {
            for (int read = in.read(some); read >= 0; read = in.read(some)) {
                count += read;
            }
        } catch (SocketException reset) {
            // Cut off.
        }
        return count;
    }

    @Test
    void answer_takenAtOnce_isNotWatched() throws IOException {
        start(SIZE, LONG, new byte[10_000]);
        for (int i = 0; i < 10; i++) {
            try (Socket client = ask()) {
                assertEquals(0, answers.bytes());
                assertTrue(readToEnd(client) >= 10_000);
            }
        }
    }

    @Test
    void answer_thatNobodyTakes_isGivenUp() throws IOException {
        start(SIZE, Duration.ofMillis(200), new byte[SIZE]);
        try (Socket client = ask()) {
            Await.until("given up", () -> answers.bytes() == 0);
            assertTrue(readToEnd(client) < SIZE);
        }
    }

    @Test
    void answer_takenSlowly_isSentToItsEnd() throws IOException {
        start(SIZE, LONG, new byte[SIZE]);
        try (Socket client = ask()) {
            assertEquals(SIZE, answers.bytes());
            assertTrue(readToEnd(client) > SIZE);
        }
        Await.until("sent", () -> answers.bytes() == 0);
    }

    @Test
    void answers_moreThanThereIsRoomFor_theOldestIsGivenUp() throws IOException {
        start(3L * SIZE, LONG, new byte[SIZE]);
        try (Socket first = ask();
                Socket second = ask();
                Socket third = ask()) {
            assertEquals(3L * SIZE, answers.bytes());
            try (Socket fourth = ask()) {
                Await.until("one given up", () -> answers.bytes() == 3L * SIZE);
                assertTrue(readToEnd(first) < SIZE);
                assertTrue(readToEnd(second) > SIZE);
                assertTrue(readToEnd(third) > SIZE);
                assertTrue(readToEnd(fourth) > SIZE);
            }
        }
        Await.until("sent", () -> answers.bytes() == 0);
    }
}
