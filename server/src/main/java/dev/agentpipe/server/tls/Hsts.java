package dev.agentpipe.server.tls;

import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import java.time.Duration;

/**
 * Tells browsers that came over HTTPS to come by nothing else (RFC 6797). Not as {@code localhost}: it holds for all ports of
 * a name, and whoever develops has other servers under that one.
 */
public final class Hsts implements HttpHandler {

    private static final HttpString HEADER = Headers.STRICT_TRANSPORT_SECURITY;

    private final String value;
    private final HttpHandler next;

    /** @param max how long a browser keeps to it; zero: it forgets what it was told */
    public Hsts(Duration max, HttpHandler next) {
        this.value = "max-age=" + max.toSeconds();
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (exchange.getRequestScheme().equals("https") && !isLocal(exchange.getHostName())) {
            exchange.getResponseHeaders().put(HEADER, value);
        }
        next.handleRequest(exchange);
    }

    private static boolean isLocal(String host) {
        return host != null && (host.equals("localhost") || host.endsWith(".localhost"));
    }
}
