package dev.agentpipe.server;

import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.http.BodyDeadline;
import dev.agentpipe.server.http.DateHeader;
import dev.agentpipe.server.http.Framing;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestId;
import dev.agentpipe.server.http.RequestLog;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.HttpsRedirect;
import dev.agentpipe.server.tls.TlsListener;
import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.GracefulShutdownHandler;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** Undertow: its options, its threads, its ports, and its orderly end. */
final class HttpServer implements AutoCloseable {

    /**
     * How long a connection may keep the server waiting.
     *
     * @param idle for a request; above the 90 s after which Go's client gives up an idle connection: else it would send
     *     into one just closed
     * @param head for the rest of a request's head, and for a TLS handshake
     * @param body for the end of a request
     */
    record Limits(Duration idle, Duration head, Duration body) {
        static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(120), Duration.ofSeconds(10), Duration.ofSeconds(60));
    }

    /**
     * HTTPS instead of HTTP.
     *
     * @param redirectPort a plain port beside it, 0 for any free one; empty for none
     * @param health what that one answers below {@code /api/health}
     */
    record Https(Certificates certificates, OptionalInt redirectPort, HttpHandler health) {}

    /** A body larger than this is not even read to its end to be refused. */
    private static final long DRAINED_BYTES_MAX = 64L << 20;

    /** The first line and the headers of a request together. */
    private static final int HEADER_BYTES_MAX = 32 << 10;

    /** A browser behind two proxies sends 30. */
    private static final int HEADERS_MAX = 100;

    /** More than the most that any URL takes. */
    private static final int PARAMETERS_MAX = 300;

    static final int BUFFER_BYTES = 16 << 10;

    /** Kept by each thread, as Undertow does by itself. */
    static final int BUFFERS_BY_THREAD = 4;

    /** What lies unsent in the kernel for one stream; the system's own default lets a slow reader have megabytes. */
    private static final int SEND_BUFFER_BYTES = 128 << 10;

    private static final int BACKLOG = 4_096;
    private static final int WORKERS_MAX = 16;
    private static final Duration REQUESTS_END = Duration.ofSeconds(4);

    private final GracefulShutdownHandler requests;
    private final Optional<TlsListener> tls;
    private final Optional<PlainListener> plain;

    static XnioWorker worker() {
        try {
            return Xnio.getInstance()
                    .createWorker(OptionMap.builder()
                            .set(Options.WORKER_NAME, "http")
                            .set(
                                    Options.WORKER_IO_THREADS,
                                    Math.max(2, Runtime.getRuntime().availableProcessors()))
                            .set(Options.WORKER_TASK_CORE_THREADS, WORKERS_MAX)
                            .set(Options.WORKER_TASK_MAX_THREADS, WORKERS_MAX)
                            .set(Options.TCP_NODELAY, true)
                            .getMap());
        } catch (IOException e) {
            throw new StartException("the I/O threads cannot be made: " + e.getMessage(), e);
        }
    }

    static void stop(XnioWorker worker) throws InterruptedException {
        worker.shutdownNow();
        worker.awaitTermination(2, TimeUnit.SECONDS);
    }

    /** @param watched puts something in front of all requests to the routes */
    HttpServer(
            Settings.Listen listen,
            Optional<Https> https,
            XnioWorker worker,
            ConnectionLimit connections,
            HttpHandler routes,
            UnaryOperator<HttpHandler> watched) {
        this(listen, https, worker, connections, routes, watched, Limits.DEFAULT);
    }

    HttpServer(
            Settings.Listen listen,
            Optional<Https> https,
            XnioWorker worker,
            ConnectionLimit connections,
            HttpHandler routes,
            Limits limits) {
        this(listen, https, worker, connections, routes, UnaryOperator.identity(), limits);
    }

    /** Plain HTTP. */
    HttpServer(
            Settings.Listen listen, XnioWorker worker, ConnectionLimit connections, HttpHandler routes, Limits limits) {
        this(listen, Optional.empty(), worker, connections, routes, UnaryOperator.identity(), limits);
    }

    HttpServer(
            Settings.Listen listen,
            Optional<Https> https,
            XnioWorker worker,
            ConnectionLimit connections,
            HttpHandler routes,
            UnaryOperator<HttpHandler> watched,
            Limits limits) {
        this.requests = new GracefulShutdownHandler(new Framing(new BodyDeadline(limits.body, routes)));
        BrowserRules rules = new BrowserRules(listen.allowedOrigins());
        HttpHandler root = watched.apply(new RequestId(new RequestLog(rules.inFrontOf(this::admit))));
        Ports ports = new Ports(worker, connections, limits);
        if (https.isEmpty()) {
            this.tls = Optional.empty();
            this.plain = Optional.of(ports.plain(listen, "PORT", root));
            return;
        }
        TlsListener secure = ports.tls(listen, https.get().certificates, root);
        this.tls = Optional.of(secure);
        try {
            this.plain = https.get().redirectPort.isEmpty()
                    ? Optional.empty()
                    : Optional.of(ports.plain(
                            new Settings.Listen(
                                    listen.host(), https.get().redirectPort.getAsInt()),
                            "HTTP_REDIRECT_PORT",
                            new RequestId(rules.inFrontOf(new Framing(new BodyDeadline(
                                    limits.body,
                                    new HttpsRedirect(secure.address().getPort(), https.get().health)))))));
        } catch (RuntimeException e) {
            secure.close();
            throw e;
        }
    }

    /** What all ports of a server have in common. */
    private record Ports(XnioWorker worker, ConnectionLimit connections, Limits limits, ByteBufferPool pool) {

        Ports(XnioWorker worker, ConnectionLimit connections, Limits limits) {
            this(worker, connections, limits, new DefaultByteBufferPool(true, BUFFER_BYTES, -1, BUFFERS_BY_THREAD));
        }

        PlainListener plain(Settings.Listen listen, String variable, HttpHandler handler) {
            try {
                return new PlainListener(
                        address(listen), worker, pool, options(limits), connections, new DateHeader(handler));
            } catch (IOException e) {
                throw cannotListen(listen, variable, e);
            }
        }

        TlsListener tls(Settings.Listen listen, Certificates certificates, HttpHandler handler) {
            try {
                return new TlsListener(
                        address(listen),
                        worker,
                        pool,
                        options(limits),
                        connections,
                        certificates,
                        limits.head,
                        new DateHeader(handler));
            } catch (IOException e) {
                throw cannotListen(listen, "PORT", e);
            }
        }

        private static InetSocketAddress address(Settings.Listen listen) {
            return new InetSocketAddress(listen.host(), listen.port());
        }

        private static RuntimeException cannotListen(Settings.Listen listen, String variable, IOException e) {
            return e instanceof BindException
                    ? new StartException(
                            "cannot listen on %s port %d: %s. Does another server use the port? See HOST and %s"
                                    .formatted(listen.host(), listen.port(), e.getMessage(), variable),
                            e)
                    : new IllegalStateException("cannot listen", e);
        }
    }

    static OptionMap options(Limits limits) {
        return OptionMap.builder()
                .set(Options.TCP_NODELAY, true)
                .set(Options.REUSE_ADDRESSES, true)
                .set(Options.BACKLOG, BACKLOG)
                .set(Options.SEND_BUFFER, SEND_BUFFER_BYTES)
                .set(UndertowOptions.NO_REQUEST_TIMEOUT, Math.toIntExact(limits.idle.toMillis()))
                .set(UndertowOptions.REQUEST_PARSE_TIMEOUT, Math.toIntExact(limits.head.toMillis()))
                .set(UndertowOptions.MAX_ENTITY_SIZE, DRAINED_BYTES_MAX)
                .set(UndertowOptions.MAX_HEADER_SIZE, HEADER_BYTES_MAX)
                .set(UndertowOptions.MAX_HEADERS, HEADERS_MAX)
                .set(UndertowOptions.MAX_PARAMETERS, PARAMETERS_MAX)
                .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
                .getMap();
    }

    private void admit(HttpServerExchange exchange) throws Exception {
        if (exchange.isHttp10()) {
            exchange.setPersistent(false); // Undertow would keep it without saying so, and the client wait for its end
        }
        exchange.addDefaultResponseListener(HttpServer::explain);
        requests.handleRequest(exchange);
    }

    /** The handler for the shutdown refuses without a word. */
    private static boolean explain(HttpServerExchange refused) {
        if (refused.getStatusCode() != StatusCodes.SERVICE_UNAVAILABLE || !refused.isResponseChannelAvailable()) {
            return false;
        }
        Replies.problem(refused, Problem.SHUTTING_DOWN, null);
        return true;
    }

    URI uri() {
        return tls.map(secure -> uri("https", secure.address()))
                .orElseGet(() -> uri("http", plain.orElseThrow().address()));
    }

    /** Of the plain port beside HTTPS, if there is one. */
    OptionalInt redirectPort() {
        return tls.isPresent() && plain.isPresent()
                ? OptionalInt.of(plain.get().address().getPort())
                : OptionalInt.empty();
    }

    private static URI uri(String scheme, InetSocketAddress address) {
        String host = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
        return URI.create(scheme + "://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort());
    }

    /** Refuses new requests, waits for those under way, and closes all connections. */
    @Override
    public void close() {
        requests.shutdown();
        try {
            requests.awaitShutdown(REQUESTS_END.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        tls.ifPresent(TlsListener::close);
        plain.ifPresent(PlainListener::close);
    }
}
