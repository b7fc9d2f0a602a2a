package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

/**
 * Cuts off a client that does not finish its request in time: what it has sent so far takes a share of the memory for all
 * bodies, and a handful of clients that stall could keep that full for ever. Each request has a timer on its I/O thread,
 * from its head to its end.
 */
public final class BodyDeadline implements HttpHandler {

    private static final AttachmentKey<Timer> TIMER = AttachmentKey.create(Timer.class);

    private static final class Timer {
        private XnioExecutor.Key key;
    }

    private final Duration max;
    private final HttpHandler next;

    public BodyDeadline(Duration max, HttpHandler next) {
        this.max = max;
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (!exchange.isRequestComplete()) {
            Timer timer = new Timer();
            exchange.putAttachment(TIMER, timer);
            start(exchange, timer, max);
            exchange.addExchangeCompleteListener((completed, others) -> {
                timer.key.remove();
                others.proceed();
            });
        }
        next.handleRequest(exchange);
    }

    /** Gives a request that may be large more time, from now on. To be called on its I/O thread. */
    public static void extend(HttpServerExchange exchange, Duration max) {
        Timer timer = exchange.getAttachment(TIMER);
        if (timer != null) {
            timer.key.remove();
            start(exchange, timer, max);
        }
    }

    private static void start(HttpServerExchange exchange, Timer timer, Duration max) {
        timer.key = exchange.getIoThread().executeAfter(() -> cutOff(exchange), max.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Whoever reads the body notices, and so does who counts the requests. */
    private static void cutOff(HttpServerExchange exchange) {
        if (!exchange.isRequestComplete()) {
            IoUtils.safeClose(exchange.getConnection());
        }
    }
}
