package dev.agentpipe.server.docs;

import dev.agentpipe.server.Version;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.Routes;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.PathTemplateMatch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * The document, the page, and the page's few files. All is made when it is first asked for, since most servers are never
 * asked. Thread-safe.
 */
public final class Docs {

    private static final String HTML = "text/html; charset=utf-8";

    /** No script, no frame, nothing from elsewhere. */
    private static final String POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";

    /** The names that there are, and so the only resources that a URL can reach. */
    private static final Map<String, String> FILES =
            Map.of("style.css", "text/css; charset=utf-8", "icon.svg", "image/svg+xml");

    /** Made by whoever asks first; others wait. */
    private static final class Made {
        private static final JsonNode DOCUMENT = ApiDocument.of(Version.current());
        private static final byte[] JSON = ApiDocument.pretty(DOCUMENT).getBytes(StandardCharsets.UTF_8);
        private static final byte[] PAGE = ApiPage.of(DOCUMENT).getBytes(StandardCharsets.UTF_8);
    }

    private Docs() {}

    public static Routes.Documents documents() {
        return new Routes.Documents(byWorker(Docs::openApi), byWorker(Docs::page), byWorker(Docs::file));
    }

    /** Making the page takes too long for an I/O thread. */
    private static HttpHandler byWorker(HttpHandler handler) {
        return exchange -> exchange.dispatch(handler);
    }

    private static void openApi(HttpServerExchange exchange) {
        secure(exchange);
        Replies.document(exchange, "application/json; charset=utf-8", Made.JSON);
    }

    private static void page(HttpServerExchange exchange) {
        secure(exchange);
        Replies.document(exchange, HTML, Made.PAGE);
    }

    private static void file(HttpServerExchange exchange) {
        String name = exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY)
                .getParameters()
                .get("file");
        if (!FILES.containsKey(name)) {
            Replies.problem(exchange, Problem.NOT_FOUND, null);
            return;
        }
        secure(exchange);
        Replies.document(exchange, FILES.get(name), read(name));
    }

    private static byte[] read(String name) {
        try (InputStream in = Docs.class.getResourceAsStream("page/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void secure(HttpServerExchange exchange) {
        exchange.getResponseHeaders().put(new HttpString("Content-Security-Policy"), POLICY);
        exchange.getResponseHeaders().put(new HttpString("Referrer-Policy"), "no-referrer");
        exchange.getResponseHeaders().put(new HttpString(Headers.X_CONTENT_TYPE_OPTIONS_STRING), "nosniff");
    }
}
