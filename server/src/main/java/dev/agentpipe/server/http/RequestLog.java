package dev.agentpipe.server.http;

import io.undertow.server.ExchangeCompletionListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.AttachmentKey;
import io.undertow.util.HttpString;
import io.undertow.util.Methods;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * A line for each request, when its answer is on its way; of a stream, when it has ended. Told at info; at warn where this
 * server could not do what it should (5xx); at debug where somebody only asks whether it is well, and it is.
 *
 * <p>Nothing of it is what somebody said: a URL is told by its template, and a conversation by its id, which is cut. Stands
 * behind {@link RequestId}, whose id the lines have. Thread-safe.
 */
public final class RequestLog implements HttpHandler {

    /** By it the lines are found, and turned off without the others. */
    public static final String LOGGER = "dev.agentpipe.requests";

    /** The longest that is stored. A path may hold more, and then gets a 400. */
    private static final int ID_CHARS_MAX = 255;

    private static final Set<String> PROBES = Set.of("/api/health", "/api/health/live", "/api/health/ready");

    private static final Set<HttpString> METHODS = Set.of(
            Methods.POST, Methods.GET, Methods.HEAD, Methods.PUT, Methods.DELETE, Methods.OPTIONS, Methods.PATCH);

    private static final Logger log = LoggerFactory.getLogger(LOGGER);

    private static final AttachmentKey<Request> REQUEST = AttachmentKey.create(Request.class);

    private final HttpHandler next;

    public RequestLog(HttpHandler next) {
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        if (log.isWarnEnabled()) {
            Request request = new Request(System.nanoTime());
            exchange.putAttachment(REQUEST, request);
            exchange.addExchangeCompleteListener(request);
        }
        next.handleRequest(exchange);
    }

    /** The answer is a stream now, whose line is written when {@link #streamEnded} is told. */
    public static void streamBegins(HttpServerExchange exchange) {
        Request request = exchange.getAttachment(REQUEST);
        if (request != null) {
            request.isStream = true;
            log.debug("A stream begins");
        }
    }

    /** To be called on the I/O thread of the stream, once. */
    public static void streamEnded(HttpServerExchange exchange, Enum<?> reason, long events) {
        Request request = exchange.getAttachment(REQUEST);
        if (request != null) {
            request.tell(exchange, new RequestLine.Ended(reason.name().toLowerCase(Locale.ROOT), events));
        }
    }

    /** Anything can be sent as one. */
    static String method(HttpServerExchange exchange) {
        HttpString method = exchange.getRequestMethod();
        return METHODS.contains(method) ? method.toString() : "other";
    }

    /** Confined to the threads of its request, one at a time. */
    private static final class Request implements ExchangeCompletionListener {
        private final long startNanos;
        private boolean isStream;

        Request(long startNanos) {
            this.startNanos = startNanos;
        }

        @Override
        public void exchangeEvent(HttpServerExchange exchange, NextListener others) {
            try {
                if (!isStream) {
                    tell(exchange, null);
                }
            } finally {
                others.proceed();
            }
        }

        void tell(HttpServerExchange exchange, RequestLine.Ended ended) {
            Level level = level(exchange);
            if (!log.isEnabledForLevel(level)) {
                return;
            }
            RequestLine line = line(exchange, ended);
            if (RequestScope.isOn(exchange)) {
                log(level, line);
            } else {
                RequestScope.run(exchange, () -> log(level, line));
            }
        }

        private static void log(Level level, RequestLine line) {
            switch (level) {
                case WARN -> log.warn("{}", line);
                case INFO -> log.info("{}", line);
                default -> log.debug("{}", line);
            }
        }

        private static Level level(HttpServerExchange exchange) {
            if (exchange.getStatusCode() >= 500) {
                return Level.WARN;
            }
            String route = RequestFacts.route(exchange);
            return route != null && PROBES.contains(route) ? Level.DEBUG : Level.INFO;
        }

        private RequestLine line(HttpServerExchange exchange, RequestLine.Ended ended) {
            Problem problem = RequestFacts.problem(exchange);
            String conversation = RequestFacts.conversation(exchange);
            return new RequestLine(
                    RequestId.of(exchange),
                    method(exchange),
                    RequestFacts.route(exchange),
                    exchange.getStatusCode(),
                    (System.nanoTime() - startNanos) / 1_000,
                    exchange.getRequestContentLength(),
                    ended == null ? exchange.getResponseBytesSent() : -1,
                    problem == null ? null : problem.code(),
                    RequestFacts.keyId(exchange),
                    conversation == null || conversation.length() <= ID_CHARS_MAX
                            ? conversation
                            : conversation.substring(0, ID_CHARS_MAX),
                    address(exchange.getSourceAddress()),
                    ended);
        }

        private static String address(InetSocketAddress source) {
            InetAddress address = source.getAddress();
            return address == null ? source.getHostString() : address.getHostAddress();
        }
    }
}
