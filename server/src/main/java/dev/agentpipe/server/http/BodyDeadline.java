package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
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

    private final Duration max;
    private final HttpHandler next;

    public BodyDeadline(Duration max, HttpHandler next) {
        this.max = max;
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (!exchange.isRequestComplete()) {
            XnioExecutor.Key timer =
                    exchange.getIoThread().executeAfter(() -> cutOff(exchange), max.toMillis(), TimeUnit.MILLISECONDS);
            exchange.addExchangeCompleteListener((completed, others) -> {
                timer.remove();
                others.proceed();
            });
        }
        next.handleRequest(exchange);
    }

    /** Whoever reads the body notices, and so does who counts the requests. */
    private static void cutOff(HttpServerExchange exchange) {
        if (!exchange.isRequestComplete()) {
            IoUtils.safeClose(exchange.getConnection());
        }
    }
}
