package dev.agentpipe.server.tls;

import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import io.undertow.util.StatusCodes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The plain port beside HTTPS. People who open a page are sent on. Programs are refused, not redirected: a redirected POST has
 * already sent its key and its events in the clear, and would do so every time. Health is answered, for load balancers.
 */
public final class HttpsRedirect implements HttpHandler {

    private static final int HTTPS_PORT_DEFAULT = 443;

    /** A name or an address; nothing that could end a header or begin a path. */
    private static final Pattern HOST = Pattern.compile("([A-Za-z0-9._-]{1,253}|\\[[0-9A-Fa-f:.]{2,45}])(:\\d{1,5})?");

    private final int httpsPort;
    private final HttpHandler health;

    /** @param health what answers below {@code /api/health} */
    public HttpsRedirect(int httpsPort, HttpHandler health) {
        this.httpsPort = httpsPort;
        this.health = health;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        String path = exchange.getRequestPath();
        if (isBelow(path, "/api/health")) {
            health.handleRequest(exchange);
        } else if (isRead(exchange.getRequestMethod()) && (isBelow(path, "/api/docs") || !isBelow(path, "/api"))) {
            redirect(exchange);
        } else {
            Replies.problem(
                    exchange,
                    Problem.HTTPS_REQUIRED,
                    "This port is not encrypted. A key that was sent to it may have been read by others: replace it.");
        }
    }

    private static boolean isBelow(String path, String parent) {
        return path.equals(parent) || path.startsWith(parent + "/");
    }

    private static boolean isRead(HttpString method) {
        return method.equals(Methods.GET) || method.equals(Methods.HEAD);
    }

    private void redirect(HttpServerExchange exchange) {
        Matcher host = HOST.matcher(String.valueOf(exchange.getRequestHeaders().getFirst(Headers.HOST)));
        if (!host.matches() || exchange.isHostIncludedInRequestURI()) {
            Replies.problem(exchange, Problem.HTTPS_REQUIRED, "Nobody knows where to: the header Host is missing.");
            return;
        }
        String query = exchange.getQueryString().isEmpty() ? "" : "?" + exchange.getQueryString();
        exchange.getResponseHeaders()
                .put(
                        Headers.LOCATION,
                        "https://" + host.group(1) + (httpsPort == HTTPS_PORT_DEFAULT ? "" : ":" + httpsPort)
                                + exchange.getRequestURI() + query);
        Replies.empty(exchange, StatusCodes.PERMANENT_REDIRECT);
    }
}
