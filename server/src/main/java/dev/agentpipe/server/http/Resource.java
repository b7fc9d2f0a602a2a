package dev.agentpipe.server.http;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** What one URL answers to: its methods, and {@code OPTIONS}, which tells them (RFC 9110, 9.3.7 and 15.5.6). */
final class Resource implements HttpHandler {

    private final Map<HttpString, HttpHandler> handlers = new LinkedHashMap<>();

    Resource on(HttpString method, HttpHandler handler) {
        handlers.put(method, handler);
        return this;
    }

    /** {@code HEAD}, too: Undertow leaves the body out. */
    Resource onGet(HttpHandler handler) {
        return on(Methods.GET, handler).on(Methods.HEAD, handler);
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        HttpHandler handler = handlers.get(exchange.getRequestMethod());
        if (handler != null) {
            handler.handleRequest(exchange);
            return;
        }
        String methods = handlers.keySet().stream().map(HttpString::toString).collect(Collectors.joining(", "));
        exchange.getResponseHeaders().put(Headers.ALLOW, methods + ", OPTIONS");
        if (exchange.getRequestMethod().equals(Methods.OPTIONS)) {
            Replies.empty(exchange, StatusCodes.NO_CONTENT);
        } else {
            Replies.problem(exchange, Problem.METHOD_NOT_ALLOWED, "Allowed here: " + methods + ".");
        }
    }
}
