package dev.agentpipe.server.docs;

import dev.agentpipe.server.Version;
import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.Routes;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.PathTemplateMatch;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.CRC32C;
import tools.jackson.databind.JsonNode;

/**
 * The document, the page, and the page's few files. All is made when it is first asked for, since most servers are never
 * asked. Thread-safe.
 */
public final class Docs {

    private static final String JSON = "application/json; charset=utf-8";
    private static final String HTML = "text/html; charset=utf-8";

    /** No script, no frame, nothing from elsewhere. */
    private static final String POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'";

    /** What is answered, with its {@code ETag}. */
    private record Text(String type, byte[] bytes, String tag) {
        static Text of(String type, byte[] bytes) {
            CRC32C checksum = new CRC32C();
            checksum.update(bytes);
            return new Text(type, bytes, Long.toHexString(checksum.getValue()));
        }
    }

    /** Made for whoever asks first; others wait. */
    private static final class Made {
        private static final JsonNode API = ApiDocument.of(Version.current());
        private static final Text DOCUMENT =
                Text.of(JSON, ApiDocument.pretty(API).getBytes(StandardCharsets.UTF_8));
        private static final Text PAGE = Text.of(HTML, ApiPage.of(API).getBytes(StandardCharsets.UTF_8));

        /** By the names that there are: no others can be reached. */
        private static final Map<String, Text> FILES = Map.of(
                "style.css", Text.of("text/css; charset=utf-8", read("style.css")),
                "icon.svg", Text.of("image/svg+xml", read("icon.svg")));
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
        send(exchange, Made.DOCUMENT);
    }

    private static void page(HttpServerExchange exchange) {
        BrowserRules.page(exchange, POLICY);
        send(exchange, Made.PAGE);
    }

    private static void file(HttpServerExchange exchange) {
        Text file = Made.FILES.get(exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY)
                .getParameters()
                .get("file"));
        if (file == null) {
            Replies.problem(exchange, Problem.NOT_FOUND, null);
        } else {
            send(exchange, file);
        }
    }

    private static byte[] read(String name) {
        try (InputStream in = Docs.class.getResourceAsStream("page/" + name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void send(HttpServerExchange exchange, Text text) {
        Replies.document(exchange, text.type(), text.bytes(), text.tag());
    }
}
