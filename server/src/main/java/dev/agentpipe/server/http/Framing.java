package dev.agentpipe.server.http;

import io.undertow.conduits.ReadDataStreamSourceConduit;
import io.undertow.server.Connectors;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import org.xnio.conduits.ConduitStreamSourceChannel;

/**
 * Refuses a request about whose end two servers may disagree (RFC 9112, 6): a proxy in front would take for its body what is
 * here the next request of the connection, perhaps of somebody else. Undertow refuses a length beside an encoding, and
 * two of either; it takes any encoding for chunks, and a length of more digits than it can count for what is left of them.
 */
public final class Framing implements HttpHandler {

    private static final int LENGTH_DIGITS_MAX = 18;

    private final HttpHandler next;

    public Framing(HttpHandler next) {
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (!(exchange.getConnection() instanceof HttpServerConnection connection)) {
            next.handleRequest(exchange); // HTTP/2 has frames for it
            return;
        }
        HeaderMap headers = exchange.getRequestHeaders();
        String encoding = headers.getFirst(Headers.TRANSFER_ENCODING);
        if (encoding != null) {
            if (!encoding.equalsIgnoreCase("chunked") || !exchange.isHttp11()) {
                refuse(exchange, "The one transfer encoding is \"chunked\", of HTTP/1.1.");
                return;
            }
            if (!exchange.isRequestComplete()) {
                ConduitStreamSourceChannel source = connection.getChannel().getSourceChannel();
                source.setConduit(new ChunkedBody(
                        new ReadDataStreamSourceConduit(connection.getOriginalSourceConduit(), connection), exchange));
            }
        } else {
            String length = headers.getFirst(Headers.CONTENT_LENGTH);
            if (length != null && length.length() > LENGTH_DIGITS_MAX) {
                refuse(exchange, "The Content-Length is too large.");
                return;
            }
        }
        next.handleRequest(exchange);
    }

    /** At once: where the body ends is what nobody knows. */
    private static void refuse(HttpServerExchange exchange, String detail) {
        exchange.setPersistent(false);
        Connectors.terminateRequest(exchange);
        Replies.problem(exchange, Problem.INVALID_REQUEST, detail);
    }
}
