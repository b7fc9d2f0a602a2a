package dev.agentpipe.server.http;

import dev.agentpipe.core.event.EventLimits;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.PathTemplateMatch;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What somebody wants to read. Confined to the thread that reads. */
public record ReadRequest(HttpServerExchange exchange, QueryParameters parameters) {

    static ReadRequest of(HttpServerExchange exchange) {
        return new ReadRequest(exchange, QueryParameters.of(exchange));
    }

    /**
     * The part of the path that stands for this name in the table of URLs.
     *
     * @throws BadRequest if it is longer than an id can be, or could not be stored as one
     */
    public String path(String name) {
        return path(exchange, name);
    }

    /** The same, for handlers that are no {@link Read}. */
    public static String path(HttpServerExchange exchange, String name) {
        String value = decodedPath(exchange, name);
        int charsMax = EventLimits.DEFAULT.idCharsMax();
        if (value.length() > charsMax) {
            throw BadRequest.of(name, "an id has at most " + charsMax + " characters");
        }
        if (value.indexOf('\0') >= 0) {
            throw BadRequest.of(name, "an id has no U+0000");
        }
        return value;
    }

    /** From the path as it was sent: Undertow leaves the slashes of an id encoded, and so like no id that is stored. */
    static String decodedPath(HttpServerExchange exchange, String name) {
        String template =
                exchange.getAttachment(PathTemplateMatch.ATTACHMENT_KEY).getMatchedTemplate();
        List<String> names = List.of(template.split("/"));
        String[] parts = exchange.getRequestURI().split("/");
        String part = parts[parts.length - names.size() + names.indexOf("{" + name + "}")];
        int parameters = part.indexOf(';');
        return URLDecoder.decode(
                (parameters < 0 ? part : part.substring(0, parameters)).replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
