package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestBodies;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.RawHttp2;
import dev.agentpipe.server.tls.RawHttp2.Frame;
import dev.agentpipe.server.tls.TestTls;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xnio.XnioWorker;

/** Clients of HTTP/2 that take more than they are offered, or nothing of what they asked for. */
final class Http2LimitsTest {

    private static final HttpServer.Limits SHORT =
            new HttpServer.Limits(Duration.ofMillis(600), Duration.ofSeconds(10), Duration.ofMillis(400));

    /** Undertow sends no head before there is some window for the body. */
    private static final int WINDOW = 100;

    /** Ten times what a client lets in by itself. */
    private static final String LARGE = "x".repeat(650_000);

    /** Requests to /held, to be answered by the test. */
    private final BlockingQueue<HttpServerExchange> held = new LinkedBlockingQueue<>();

    /** Requests that have begun, and have not ended. */
    private final AtomicInteger underWay = new AtomicInteger();

    private final XnioWorker worker = HttpServer.worker();
    private HttpServer server;
    private int port;

    @BeforeEach
    void start() throws Exception {
        start(HttpServer.Limits.DEFAULT);
    }

    private void start(HttpServer.Limits limits) throws Exception {
        Certificates certificates =
                new Certificates(TestTls.file("first.crt"), TestTls.file("first.key"), Clock.systemUTC());
        server = new HttpServer(
                new Settings.Listen("127.0.0.1", 0),
                Optional.of(new HttpServer.Https(certificates, OptionalInt.empty(), this::handle)),
                worker,
                ConnectionLimit.of(1, address -> false),
                this::handle,
                limits);
        port = server.uri().getPort();
    }

    private void handle(HttpServerExchange exchange) {
        underWay.incrementAndGet();
        exchange.addExchangeCompleteListener((completed, others) -> {
            underWay.decrementAndGet();
            others.proceed();
        });
        switch (exchange.getRequestPath()) {
            case "/held" -> exchange.dispatch(SameThreadExecutor.INSTANCE, () -> held.add(exchange));
            case "/body" ->
                new RequestBodies(1 << 20, 1 << 20)
                        .read(exchange, body -> held.add(exchange), failure -> held.add(exchange));
            case "/scheme" -> Replies.json(exchange, 200, Map.of("scheme", exchange.getRequestScheme()));
            case "/large" ->
                exchange.getResponseSender().send(ByteBuffer.wrap(LARGE.getBytes(StandardCharsets.US_ASCII)));
            default -> Replies.json(exchange, 200, Map.of("body", "small"));
        }
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        HttpServer.stop(worker);
    }

    private void awaitUnderWay(int count) {
        Await.until(count + " under way", () -> underWay.get() == count);
    }

    private void answer(HttpServerExchange exchange) {
        exchange.getIoThread().execute(() -> Replies.json(exchange, 200, Map.of("held", true)));
    }

    @Test
    void request_isAnswered() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            int stream = http.get("/x");

            assertEquals("h2", http.protocol());
            assertEquals(200, http.statusOf(stream));
            assertEquals(
                    "{\"body\":\"small\"}", http.await(RawHttp2.DATA, stream).text());
            awaitUnderWay(0);
        }
    }

    @Test
    void scheme_isThatOfTheConnection() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            int stream = http.get("/scheme", ":scheme", "http");

            assertEquals(
                    "{\"scheme\":\"https\"}", http.await(RawHttp2.DATA, stream).text());
        }
    }

    @Test
    void requests_aboveTheLimit_areRefusedAndCountUntilTheyAreAnswered() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            for (int i = 0; i < 200; i++) {
                http.get("/held");
            }
            int refused = http.get("/held");
            assertEquals(
                    RawHttp2.REFUSED_STREAM,
                    http.await(RawHttp2.RST_STREAM, refused).code());
            assertEquals(200, held.size());

            http.reset(1);
            int again = http.get("/held");
            assertEquals(
                    RawHttp2.REFUSED_STREAM,
                    http.await(RawHttp2.RST_STREAM, again).code());

            answer(held.take()); // of the stream that was reset: nobody hears it, but it is over
            awaitUnderWay(199);
            int taken = http.get("/other");
            assertEquals(200, http.statusOf(taken));
        }
        while (!held.isEmpty()) {
            answer(held.take());
        }
        awaitUnderWay(0);
    }

    @Test
    void resets_manyInARow_endTheConnection() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            for (int i = 0; i <= 200; i++) {
                http.reset(http.get("/x"));
            }
            assertEquals(RawHttp2.ENHANCE_YOUR_CALM, http.awaitEnd());
        }
        awaitUnderWay(0);
    }

    @Test
    void answerWithoutWindow_holdsNobodyElseUp() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_INITIAL_WINDOW_SIZE, WINDOW)) {
            int stopped = http.get("/large");
            int other = http.get("/x");
            assertEquals(200, http.statusOf(stopped));
            assertEquals(
                    "{\"body\":\"small\"}", http.await(RawHttp2.DATA, other).text());

            http.openWindow(0, 1_000_000);
            http.openWindow(stopped, 1_000_000);
            int bytes = WINDOW;
            boolean isLast = false;
            while (!isLast) {
                Frame frame = http.await(RawHttp2.DATA, stopped);
                bytes += frame.payload().length;
                isLast = frame.isLast();
            }
            assertEquals(LARGE.length(), bytes);
            awaitUnderWay(0);
        }
    }

    @Test
    void answerWithoutWindow_reset_isOver() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_INITIAL_WINDOW_SIZE, WINDOW)) {
            int stopped = http.get("/large");
            assertEquals(200, http.statusOf(stopped));
            assertEquals(1, underWay.get());
            http.reset(stopped);
            awaitUnderWay(0);
            assertEquals(200, http.statusOf(http.get("/held2")));
        }
    }

    @Test
    void answersWithoutWindow_manyReset_endTheConnection() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_INITIAL_WINDOW_SIZE, WINDOW)) {
            for (int i = 0; i <= 32; i++) {
                int stream = http.get("/large");
                http.statusOf(stream);
                http.reset(stream);
            }
            assertEquals(RawHttp2.ENHANCE_YOUR_CALM, http.awaitEnd());
        }
        awaitUnderWay(0);
    }

    @Test
    void connectionLost_endsWhatIsUnderWay() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_INITIAL_WINDOW_SIZE, WINDOW)) {
            for (int i = 0; i < 20; i++) {
                http.statusOf(http.get("/large"));
            }
            assertEquals(20, underWay.get());
        }
        awaitUnderWay(0);
    }

    @Test
    void headerTable_largerThanBrowsersHaveIt_isRefused() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_HEADER_TABLE_SIZE, 65_536)) {
            assertEquals(200, http.statusOf(http.get("/x")));
        }
        try (RawHttp2 http = RawHttp2.open(port, RawHttp2.SETTING_HEADER_TABLE_SIZE, 65_537)) {
            assertEquals(RawHttp2.ENHANCE_YOUR_CALM, http.awaitEnd());
        }
    }

    @Test
    void headerBlock_withoutEnd_endsTheConnection() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            http.request("GET", "/x", RawHttp2.END_STREAM);
            byte[] more = RawHttp2.head("GET", "/x", "x-more", "y".repeat(8_000));
            for (int i = 0; i < 4; i++) {
                http.frame(RawHttp2.CONTINUATION, 0, 1, more);
            }
            assertTrue(http.awaitEnd() >= 0);
        }
        awaitUnderWay(0);
    }

    /** None of it may cost the server more than the connection. */
    @ParameterizedTest
    @CsvSource({
        "content-length, abc",
        "content-length, 99999999999999999999",
        "transfer-encoding, chunked",
        "connection, close",
        "Upper, case",
        ":unknown, x",
        "x y, z",
    })
    void header_thatIsNone_isRefused(String name, String value) throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            http.request("POST", "/held", RawHttp2.END_HEADERS, name, value);
            http.awaitEndOrReset();
        }
        assertEquals(0, held.size());
        try (RawHttp2 http = RawHttp2.open(port)) {
            assertEquals(200, http.statusOf(http.get("/x")));
        }
    }

    @Test
    void body_resetMidway_isOver() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            int stream = http.request("POST", "/body", RawHttp2.END_HEADERS, "content-length", "1000");
            http.data(stream, "x".repeat(500), false);
            Await.until("it has begun", () -> underWay.get() == 1);
            http.reset(stream);
            awaitUnderWay(0);
            assertEquals(200, http.statusOf(http.get("/x")));
        }
    }

    @Test
    void connection_withoutAnyRequest_isClosed() throws Exception {
        server.close();
        start(SHORT);
        try (RawHttp2 silent = RawHttp2.openSilently(port);
                RawHttp2 greeted = RawHttp2.open(port)) {
            silent.awaitEnd();
            greeted.awaitEnd();
        }
    }

    @Test
    void body_unfinished_endsItsStreamAlone() throws Exception {
        server.close();
        start(new HttpServer.Limits(Duration.ofSeconds(20), Duration.ofSeconds(20), Duration.ofMillis(400)));
        try (RawHttp2 http = RawHttp2.open(port)) {
            int stream = http.request("POST", "/held", RawHttp2.END_HEADERS, "content-length", "2");
            http.data(stream, "a", false);
            assertEquals(
                    RawHttp2.CANCEL, http.await(RawHttp2.RST_STREAM, stream).code());
            assertEquals(200, http.statusOf(http.get("/x")));
        }
    }

    @Test
    void close_saysGoodbye() throws Exception {
        try (RawHttp2 http = RawHttp2.open(port)) {
            assertEquals(200, http.statusOf(http.get("/x")));
            server.close();
            assertEquals(0, http.awaitEnd());
        }
    }
}
