package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.DateUtils;
import io.undertow.util.Headers;
import java.util.Date;

/**
 * Says when an answer was made: when its request came (RFC 9110, section 6.6.1). Undertow's own date is one for all servers of
 * a JVM, and stands still for good when the server that has asked for it last is stopped.
 */
public final class DateHeader implements HttpHandler {

    private record Second(long number, String text) {}

    private final HttpHandler next;

    /** Anybody's last one: it never changes, so threads need not agree on it. */
    private Second last = new Second(Long.MIN_VALUE, "");

    public DateHeader(HttpHandler next) {
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        long number = Math.floorDiv(System.currentTimeMillis(), 1_000L);
        Second second = last;
        if (second.number != number) {
            second = new Second(number, DateUtils.toDateString(new Date(number * 1_000)));
            last = second;
        }
        exchange.getResponseHeaders().put(Headers.DATE, second.text);
        next.handleRequest(exchange);
    }
}
