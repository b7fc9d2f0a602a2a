package dev.agentpipe.server.keys;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.CookieImpl;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** The cookie in which a browser keeps its session, where no script can read it. */
final class SessionCookie {

    static final String NAME = "agentpipe_session";

    private static final HttpString SEC_FETCH_SITE = HttpString.tryFromString("Sec-Fetch-Site");
    private static final Set<HttpString> SAFE = Set.of(Methods.GET, Methods.HEAD, Methods.OPTIONS);
    private static final Set<String> OWN_SITES = Set.of("same-origin", "none");

    private SessionCookie() {}

    /**
     * What the cookie holds. Nothing if the request would change something and another origin has it sent: {@code
     * SameSite=Strict} keeps other sites off, but not another port or a sibling of this host.
     */
    static Optional<String> of(HttpServerExchange exchange) {
        HeaderValues headers = exchange.getRequestHeaders().get(Headers.COOKIE);
        if (headers == null) {
            return Optional.empty();
        }
        String value = find(headers);
        return value.isEmpty() || isForged(exchange) ? Optional.empty() : Optional.of(value);
    }

    /**
     * Undertow's parser throws at what it finds wrong in any cookie, and a host's cookies are those of everything that runs
     * on it. Of ours nothing is quoted.
     */
    private static String find(HeaderValues headers) {
        for (String header : headers) {
            for (String cookie : header.split(";")) {
                int equals = cookie.indexOf('=');
                if (equals > 0 && cookie.substring(0, equals).strip().equals(NAME)) {
                    return cookie.substring(equals + 1).strip();
                }
            }
        }
        return "";
    }

    /** Browsers send one of the two with all that is not safe; who sends neither is none, and does what it was told. */
    private static boolean isForged(HttpServerExchange exchange) {
        if (SAFE.contains(exchange.getRequestMethod())) {
            return false;
        }
        String site = exchange.getRequestHeaders().getFirst(SEC_FETCH_SITE);
        if (site != null) {
            return !OWN_SITES.contains(site);
        }
        String origin = exchange.getRequestHeaders().getFirst(Headers.ORIGIN);
        String host = exchange.getRequestHeaders().getFirst(Headers.HOST);
        return origin != null && !origin.equalsIgnoreCase(exchange.getRequestScheme() + "://" + host);
    }

    static void set(HttpServerExchange exchange, String session, Duration lifetime) {
        exchange.setResponseCookie(new CookieImpl(NAME, session)
                .setPath("/")
                .setHttpOnly(true)
                .setSameSiteMode("Strict")
                .setSecure(exchange.getRequestScheme().equals("https"))
                .setMaxAge(Math.toIntExact(lifetime.toSeconds())));
    }

    static void remove(HttpServerExchange exchange) {
        set(exchange, "", Duration.ZERO);
    }
}
