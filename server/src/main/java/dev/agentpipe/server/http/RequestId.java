package dev.agentpipe.server.http;

import dev.agentpipe.server.ApiKey;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HttpString;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Gives every request an id, the caller's if it sent a sane one, and every response the header that tells it. The first of
 * all handlers, so that none is left out.
 */
public final class RequestId implements HttpHandler {

    private static final HttpString HEADER = HttpString.tryFromString("X-Request-Id");
    private static final AttachmentKey<String> KEY = AttachmentKey.create(String.class);
    private static final int LENGTH_MAX = 128;

    private final HttpHandler next;

    public RequestId(HttpHandler next) {
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        String sent = exchange.getRequestHeaders().getFirst(HEADER);
        String id = sent != null && isSane(sent) ? sent : generate();
        exchange.putAttachment(KEY, id);
        exchange.getResponseHeaders().put(HEADER, id);
        RequestScope.run(exchange, () -> handle(exchange));
    }

    private void handle(HttpServerExchange exchange) {
        try {
            next.handleRequest(exchange);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("a handler gave up", e);
        }
    }

    public static String of(HttpServerExchange exchange) {
        return exchange.getAttachment(KEY);
    }

    /** What can go into a log line and a header without a second look. */
    private static boolean isSane(String id) {
        return !id.isEmpty()
                && id.length() <= LENGTH_MAX
                && id.chars()
                        .allMatch(c -> (c >= '0' && c <= '9')
                                || (c >= 'a' && c <= 'z')
                                || (c >= 'A' && c <= 'Z')
                                || c == '-'
                                || c == '_'
                                || c == '.')
                && !ApiKey.isIn(id); // which would be in every log
    }

    /** Unlikely to repeat, which is all that an id in a log needs. */
    private static String generate() {
        return Long.toUnsignedString(ThreadLocalRandom.current().nextLong(), Character.MAX_RADIX);
    }
}
