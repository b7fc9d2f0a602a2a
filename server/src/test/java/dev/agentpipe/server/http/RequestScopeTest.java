package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawHttp;
import io.undertow.Undertow;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.MDC;

/** A step that throws, wherever it does. */
final class RequestScopeTest {

    enum Where {
        IN_THE_CALL,
        AFTER_THE_CALL,
        LATER_ON_THE_IO_THREAD,
        ON_A_WORKER,
        IN_THE_MIDDLE_OF_AN_ANSWER
    }

    private final AtomicReference<String> left = new AtomicReference<>();
    private Where where;
    private Undertow undertow;

    @BeforeEach
    void start() {
        undertow = Undertow.builder()
                .setIoThreads(1)
                .setWorkerThreads(1)
                .addHttpListener(0, "127.0.0.1")
                .setHandler(exchange -> {
                    new RequestId(this::handle).handleRequest(exchange);
                    left.set(MDC.get("requestId"));
                })
                .build();
        undertow.start();
    }

    @AfterEach
    void stop() {
        undertow.stop();
    }

    private void handle(HttpServerExchange exchange) throws IOException {
        Runnable failing = RequestScope.step(exchange, () -> fail(exchange));
        switch (where) {
            case IN_THE_CALL -> throw new IOException("secret of the inside");
            case AFTER_THE_CALL -> exchange.dispatch(SameThreadExecutor.INSTANCE, failing);
            case ON_A_WORKER -> exchange.dispatch(failing);
            default ->
                exchange.dispatch(
                        SameThreadExecutor.INSTANCE,
                        () -> exchange.getIoThread().execute(failing));
        }
    }

    private void fail(HttpServerExchange exchange) {
        if (where == Where.IN_THE_MIDDLE_OF_AN_ANSWER) {
            exchange.setResponseContentLength(10);
            try {
                exchange.getResponseChannel().write(ByteBuffer.wrap(new byte[5]));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        throw new StackOverflowError("secret of the inside");
    }

    @ParameterizedTest
    @EnumSource
    void step_thatThrows_isAnsweredAndLoggedWithItsRequest(Where place) throws IOException {
        where = place;
        int port = ((InetSocketAddress) undertow.getListenerInfo().get(0).getAddress()).getPort();
        String request = "GET /some/path HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n";
        try (CapturedLog lines = new CapturedLog(RequestScope.class.getName());
                RawHttp http = RawHttp.open(port)) {
            http.write(request);
            if (place == Where.IN_THE_MIDDLE_OF_AN_ANSWER) {
                assertThrows(EOFException.class, () -> {
                    assertEquals("\0".repeat(5), http.read().body());
                    http.read();
                });
            } else {
                RawHttp.Answer answer = http.read();
                assertEquals(500, answer.status());
                assertEquals(
                        "{\"type\":\"about:blank\",\"title\":\"The server has failed\",\"status\":500,"
                                + "\"code\":\"internal_error\",\"requestId\":\"mine\"}",
                        answer.body());
                assertEquals(500, http.write(request).read().status(), "the connection lives on");
            }
            assertEquals("mine", lines.events().get(0).getMDCPropertyMap().get("requestId"));
            assertEquals("GET (no route) failed", lines.events().get(0).getFormattedMessage());
            assertNull(left.get(), "nothing stays on the thread");
        }
    }
}
