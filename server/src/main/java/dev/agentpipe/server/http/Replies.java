package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Violation;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** Sends answers: JSON, and problems as {@code application/problem+json} (RFC 9457). */
public final class Replies {

    private static final String JSON = "application/json; charset=utf-8";
    private static final String PROBLEM = "application/problem+json; charset=utf-8";

    /** Seconds; spread, so that those who were turned away together do not come back together. */
    private static final int RETRY_AFTER_MIN = 1;

    private static final int RETRY_AFTER_MAX = 5;

    private Replies() {}

    public static void json(HttpServerExchange exchange, int status, Object body) {
        send(exchange, status, JSON, Json.bytes(body));
    }

    public static void empty(HttpServerExchange exchange, int status) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_LENGTH, "0");
        exchange.endExchange();
    }

    public static void problem(HttpServerExchange exchange, Problem problem, String detail) {
        problem(exchange, problem, detail, List.of());
    }

    /** @param detail a sentence of its own; null where the title says all */
    public static void problem(HttpServerExchange exchange, Problem problem, String detail, List<Violation> errors) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("type", "about:blank");
        body.put("title", problem.title());
        body.put("status", problem.status());
        if (detail != null) {
            body.put("detail", detail);
        }
        body.put("code", problem.code());
        body.put("requestId", RequestId.of(exchange));
        if (!errors.isEmpty()) {
            body.put("errors", errors);
        }
        if (problem.isTransient()) {
            int seconds = ThreadLocalRandom.current().nextInt(RETRY_AFTER_MIN, RETRY_AFTER_MAX + 1);
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, Integer.toString(seconds));
        }
        if (problem == Problem.UNAUTHORIZED) {
            exchange.getResponseHeaders().put(Headers.WWW_AUTHENTICATE, "Bearer realm=\"agentpipe\"");
        }
        send(exchange, problem.status(), PROBLEM, Json.bytes(body));
    }

    private static void send(HttpServerExchange exchange, int status, String contentType, byte[] body) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
        exchange.setResponseContentLength(body.length);
        exchange.getResponseSender().send(ByteBuffer.wrap(body));
    }
}
