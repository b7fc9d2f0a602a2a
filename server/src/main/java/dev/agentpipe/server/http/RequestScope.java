package dev.agentpipe.server.http;

import io.undertow.server.HttpServerExchange;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.xnio.IoUtils;

/**
 * Runs the steps of a request, on whatever thread they come: log lines carry the request's id, and a step that throws is
 * answered with a 500. Undertow sees to that only while the handler's call lasts; afterwards the client would wait for ever.
 */
public final class RequestScope {

    private static final String MDC_KEY = "requestId";

    private static final Logger log = LoggerFactory.getLogger(RequestScope.class);

    private RequestScope() {}

    /** For later: a step that is handed to an executor, or to a callback. */
    public static Runnable step(HttpServerExchange exchange, Runnable step) {
        return () -> run(exchange, step);
    }

    /** Whether lines that are logged now have the id of this request. */
    public static boolean isOn(HttpServerExchange exchange) {
        return RequestId.of(exchange).equals(MDC.get(MDC_KEY));
    }

    public static void run(HttpServerExchange exchange, Runnable step) {
        String outer = MDC.get(MDC_KEY);
        MDC.put(MDC_KEY, RequestId.of(exchange));
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            log.error("{} {} failed", RequestLog.method(exchange), RequestFacts.routeOrNone(exchange), e);
            fail(exchange);
        } finally {
            if (outer == null) {
                MDC.remove(MDC_KEY);
            } else {
                MDC.put(MDC_KEY, outer);
            }
        }
    }

    private static void fail(HttpServerExchange exchange) {
        if (!exchange.isInIoThread()) {
            exchange.getIoThread().execute(() -> fail(exchange));
        } else if (exchange.isResponseChannelAvailable()) {
            Replies.problem(exchange, Problem.INTERNAL_ERROR, null);
        } else {
            IoUtils.safeClose(exchange.getConnection()); // in the middle of an answer, which cannot be mended
        }
    }
}
