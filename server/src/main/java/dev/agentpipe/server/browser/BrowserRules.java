package dev.agentpipe.server.browser;

import dev.agentpipe.server.Origin;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Puts the headers for browsers on every answer, before anybody makes one, so that errors, streams, and refusals of a server that
 * is stopping have them, too: a page of another origin can read no error without them.
 *
 * <p>Pages of the allowed origins may read answers (CORS, WHATWG Fetch). They bring a key or a ticket of their own: there is no
 * {@code Access-Control-Allow-Credentials}, so none of them can read with the session of whoever looks at it, nor can what was
 * smuggled into one of them. Thread-safe.
 */
public final class BrowserRules {

    private static final HttpString CONTENT_SECURITY_POLICY = HttpString.tryFromString("Content-Security-Policy");
    private static final HttpString CONTENT_TYPE_OPTIONS = HttpString.tryFromString("X-Content-Type-Options");
    private static final HttpString FRAME_OPTIONS = HttpString.tryFromString("X-Frame-Options");
    private static final HttpString REFERRER_POLICY = HttpString.tryFromString("Referrer-Policy");
    private static final HttpString RESOURCE_POLICY = HttpString.tryFromString("Cross-Origin-Resource-Policy");
    private static final HttpString OPENER_POLICY = HttpString.tryFromString("Cross-Origin-Opener-Policy");
    private static final HttpString PERMISSIONS_POLICY = HttpString.tryFromString("Permissions-Policy");

    private static final HttpString ALLOW_ORIGIN = HttpString.tryFromString("Access-Control-Allow-Origin");
    private static final HttpString ALLOW_METHODS = HttpString.tryFromString("Access-Control-Allow-Methods");
    private static final HttpString ALLOW_HEADERS = HttpString.tryFromString("Access-Control-Allow-Headers");
    private static final HttpString ALLOW_PRIVATE = HttpString.tryFromString("Access-Control-Allow-Private-Network");
    private static final HttpString EXPOSE_HEADERS = HttpString.tryFromString("Access-Control-Expose-Headers");
    private static final HttpString MAX_AGE = HttpString.tryFromString("Access-Control-Max-Age");
    private static final HttpString REQUEST_METHOD = HttpString.tryFromString("Access-Control-Request-Method");
    private static final HttpString REQUEST_PRIVATE =
            HttpString.tryFromString("Access-Control-Request-Private-Network");

    /** Of what is no page: whatever a browser makes of it, it loads nothing, runs nothing and stands in no frame. */
    private static final String NOTHING =
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final String REQUEST_HEADERS =
            "Authorization, Cache-Control, Content-Encoding, Content-Type, If-None-Match, Last-Event-ID, Prefer, X-Request-Id";
    private static final String RESPONSE_HEADERS =
            "Allow, Content-Disposition, ETag, Event-Id, Location, Preference-Applied, "
                    + "RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";

    /** As long as Chromium keeps it at most. */
    private static final String PREFLIGHT_SECONDS = "7200";

    private final Set<String> origins;

    /** @param origins whose pages may read answers */
    public BrowserRules(Collection<Origin> origins) {
        this.origins = origins.stream().map(Origin::value).collect(Collectors.toUnmodifiableSet());
    }

    public HttpHandler inFrontOf(HttpHandler next) {
        return exchange -> {
            HeaderMap headers = exchange.getResponseHeaders();
            headers.put(CONTENT_TYPE_OPTIONS, "nosniff");
            headers.put(CONTENT_SECURITY_POLICY, NOTHING);
            headers.put(REFERRER_POLICY, "no-referrer");
            headers.put(RESOURCE_POLICY, "same-origin"); // of what is loaded without CORS: as a script, a picture
            if (!origins.isEmpty()) {
                headers.put(Headers.VARY, "Origin");
                share(exchange);
            }
            next.handleRequest(exchange);
        };
    }

    private void share(HttpServerExchange exchange) {
        HeaderValues sent = exchange.getRequestHeaders().get(Headers.ORIGIN);
        if (sent == null || sent.size() != 1 || !origins.contains(sent.getFirst())) {
            return;
        }
        HeaderMap headers = exchange.getResponseHeaders();
        headers.put(ALLOW_ORIGIN, sent.getFirst());
        boolean isPreflight = exchange.getRequestMethod().equals(Methods.OPTIONS)
                && exchange.getRequestHeaders().contains(REQUEST_METHOD);
        if (!isPreflight) {
            headers.put(EXPOSE_HEADERS, RESPONSE_HEADERS);
            return;
        }
        headers.put(ALLOW_HEADERS, REQUEST_HEADERS);
        headers.put(MAX_AGE, PREFLIGHT_SECONDS);
        if ("true".equals(exchange.getRequestHeaders().getFirst(REQUEST_PRIVATE))) {
            headers.put(ALLOW_PRIVATE, "true");
        }
        // What a URL takes is told by itself, in its answer to OPTIONS.
        exchange.addResponseCommitListener(answered -> {
            if (headers.contains(Headers.ALLOW)) {
                headers.put(ALLOW_METHODS, headers.getFirst(Headers.ALLOW));
            }
        });
    }

    /**
     * For an answer that is a page, instead of what all others have.
     *
     * @param policy its {@code Content-Security-Policy}
     */
    public static void page(HttpServerExchange exchange, String policy) {
        HeaderMap headers = exchange.getResponseHeaders();
        headers.put(CONTENT_SECURITY_POLICY, policy);
        headers.put(FRAME_OPTIONS, "DENY"); // for browsers that do not know frame-ancestors
        headers.put(OPENER_POLICY, "same-origin");
        headers.put(
                PERMISSIONS_POLICY, "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()");
    }
}
