package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.http.Replies;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.net.ConnectException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.xnio.XnioWorker;

final class HttpServerTest {

    private static final HttpServer.Limits SHORT =
            new HttpServer.Limits(Duration.ofMillis(600), Duration.ofMillis(200), Duration.ofMillis(200));

    /** Requests under way, to be answered by the test. */
    private final BlockingQueue<HttpServerExchange> held = new LinkedBlockingQueue<>();

    private final XnioWorker worker = HttpServer.worker();
    private HttpServer server;
    private int port;

    @BeforeEach
    void start() {
        start(SHORT);
    }

    private void start(HttpServer.Limits limits) {
        server = new HttpServer(
                new Settings.Listen("127.0.0.1", 0),
                worker,
                ConnectionLimit.of(1, address -> false),
                new BrowserRules(List.of(new Origin("https://app.example"))),
                exchange -> exchange.dispatch(SameThreadExecutor.INSTANCE, () -> held.add(exchange)),
                limits);
        port = server.uri().getPort();
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        HttpServer.stop(worker);
        assertTrue(worker.isTerminated());
    }

    private void answerNext() throws InterruptedException {
        HttpServerExchange exchange = held.poll(10, TimeUnit.SECONDS);
        exchange.getIoThread().execute(() -> Replies.json(exchange, 200, Map.of("held", true)));
    }

    @Test
    void connection_idle_isKeptForItsTimeAndThenClosed() throws Exception {
        try (RawHttp http = RawHttp.open(port)) {
            long started = System.nanoTime();
            http.awaitEnd();
            assertTrue(System.nanoTime() - started >= 500_000_000, "closed too early");
        }
        try (RawHttp http = RawHttp.open(port)) {
            http.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            answerNext();
            assertEquals(200, http.read().status());
            http.awaitEnd();
        }
    }

    @Test
    void head_unfinished_isCutOff() throws IOException {
        try (RawHttp http = RawHttp.open(port)) {
            http.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").awaitEnd();
        }
    }

    @Test
    void body_unfinished_isCutOffAndNoLongerUnderWay() throws Exception {
        try (RawHttp http = RawHttp.open(port)) {
            http.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
                    .awaitEnd();
        }
        long started = System.nanoTime();
        server.close();
        assertTrue(System.nanoTime() - started < 2_000_000_000, "close() waited for a request that is gone");
    }

    @Test
    void request_slowToAnswer_isNotCutOff() throws Exception {
        try (RawHttp http = RawHttp.open(port);
                RawHttp idle = RawHttp.open(port)) {
            http.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            idle.awaitEnd(); // all limits have passed
            answerNext();
            assertEquals(200, http.read().status());
        }
    }

    @Test
    void close_answersWhatIsUnderWayAndRefusesTheRest() throws Exception {
        server.close();
        start(HttpServer.Limits.DEFAULT);
        Thread closing = new Thread(server::close);
        try (RawHttp early = RawHttp.open(port);
                RawHttp late = RawHttp.open(port)) {
            early.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
            HttpServerExchange underWay = held.poll(10, TimeUnit.SECONDS);
            held.add(underWay);
            closing.start();

            RawHttp.Answer refused = refused(late);
            assertEquals("shutting_down", refused.json().get("code").stringValue());
            assertEquals(
                    refused.header("X-Request-Id"),
                    refused.json().get("requestId").stringValue());
            assertEquals("https://app.example", refused.header("Access-Control-Allow-Origin"));
            assertEquals("nosniff", refused.header("X-Content-Type-Options"));
            assertEquals("close", refused.header("Connection"));
            assertTrue(Integer.parseInt(refused.header("Retry-After")) >= 1);
            late.awaitEnd();

            answerNext();
            assertEquals(200, early.read().status());
        }
        closing.join(TimeUnit.SECONDS.toMillis(10));
        assertThrows(ConnectException.class, () -> RawHttp.open(port));
    }

    /** Asks until the close has begun. */
    private RawHttp.Answer refused(RawHttp http) throws Exception {
        while (true) {
            http.write("GET / HTTP/1.1\r\nHost: x\r\nOrigin: https://app.example\r\n\r\n");
            HttpServerExchange taken = pollNew();
            if (taken == null) {
                return http.read();
            }
            taken.getIoThread().execute(() -> Replies.empty(taken, 200));
            assertEquals(200, http.read().status());
        }
    }

    /** The second one that is held, if there is one within a moment. */
    private HttpServerExchange pollNew() throws InterruptedException {
        HttpServerExchange first = held.poll(10, TimeUnit.SECONDS);
        HttpServerExchange second = held.poll(300, TimeUnit.MILLISECONDS);
        held.add(first);
        return second;
    }
}
