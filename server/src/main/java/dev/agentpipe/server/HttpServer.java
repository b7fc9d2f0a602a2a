package dev.agentpipe.server;

import dev.agentpipe.server.http.BodyDeadline;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestId;
import dev.agentpipe.server.tls.Certificates;
import dev.agentpipe.server.tls.HttpsRedirect;
import dev.agentpipe.server.tls.TlsListener;
import io.undertow.Undertow;
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
import org.xnio.Option;
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

    private static final int HEADER_BYTES_MAX = 32 << 10;
    private static final int BUFFER_BYTES = 16 << 10;

    /** Kept by each thread, as Undertow does by itself. */
    private static final int BUFFERS_BY_THREAD = 4;

    /** What lies unsent in the kernel for one stream; the system's own default lets a slow reader have megabytes. */
    private static final int SEND_BUFFER_BYTES = 128 << 10;

    private static final int BACKLOG = 4_096;
    private static final int WORKERS_MAX = 16;
    private static final Duration REQUESTS_END = Duration.ofSeconds(4);

    private static final OptionMap SOCKET_OPTIONS = OptionMap.builder()
            .set(Options.TCP_NODELAY, true)
            .set(Options.REUSE_ADDRESSES, true)
            .set(Options.BACKLOG, BACKLOG)
            .set(Options.SEND_BUFFER, SEND_BUFFER_BYTES)
            .getMap();

    private final GracefulShutdownHandler requests;
    private final Optional<TlsListener> tls;
    private final Optional<Undertow> plain;

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

    HttpServer(Settings.Listen listen, Optional<Https> https, XnioWorker worker, HttpHandler routes) {
        this(listen, https, worker, routes, Limits.DEFAULT);
    }

    /** Plain HTTP. */
    HttpServer(Settings.Listen listen, XnioWorker worker, HttpHandler routes, Limits limits) {
        this(listen, Optional.empty(), worker, routes, limits);
    }

    HttpServer(Settings.Listen listen, Optional<Https> https, XnioWorker worker, HttpHandler routes, Limits limits) {
        this.requests = new GracefulShutdownHandler(new BodyDeadline(limits.body, routes));
        HttpHandler root = new RequestId(this::admit);
        OptionMap options = options(limits);
        if (https.isEmpty()) {
            this.tls = Optional.empty();
            this.plain = Optional.of(plain(listen, "PORT", worker, options, root));
            return;
        }
        TlsListener secure = secure(listen, https.get(), worker, options, limits, root);
        this.tls = Optional.of(secure);
        try {
            this.plain = redirect(listen, https.get(), worker, options, limits, secure);
        } catch (RuntimeException e) {
            secure.close();
            throw e;
        }
    }

    private static OptionMap options(Limits limits) {
        return OptionMap.builder()
                .addAll(SOCKET_OPTIONS)
                .set(UndertowOptions.NO_REQUEST_TIMEOUT, Math.toIntExact(limits.idle.toMillis()))
                .set(UndertowOptions.REQUEST_PARSE_TIMEOUT, Math.toIntExact(limits.head.toMillis()))
                .set(UndertowOptions.MAX_ENTITY_SIZE, DRAINED_BYTES_MAX)
                .set(UndertowOptions.MAX_HEADER_SIZE, HEADER_BYTES_MAX)
                .set(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
                .getMap();
    }

    private static TlsListener secure(
            Settings.Listen listen,
            Https https,
            XnioWorker worker,
            OptionMap options,
            Limits limits,
            HttpHandler handler) {
        ByteBufferPool pool = new DefaultByteBufferPool(true, BUFFER_BYTES, -1, BUFFERS_BY_THREAD);
        try {
            return new TlsListener(
                    new InetSocketAddress(listen.host(), listen.port()),
                    worker,
                    pool,
                    options,
                    https.certificates,
                    limits.head,
                    handler);
        } catch (IOException | RuntimeException e) {
            throw cannotListen(listen, "PORT", e);
        }
    }

    private static Optional<Undertow> redirect(
            Settings.Listen listen,
            Https https,
            XnioWorker worker,
            OptionMap options,
            Limits limits,
            TlsListener secure) {
        if (https.redirectPort.isEmpty()) {
            return Optional.empty();
        }
        HttpHandler redirect = new HttpsRedirect(() -> secure.address().getPort(), https.health);
        Settings.Listen plain = new Settings.Listen(listen.host(), https.redirectPort.getAsInt());
        HttpHandler root = new RequestId(new BodyDeadline(limits.body, redirect));
        return Optional.of(plain(plain, "HTTP_REDIRECT_PORT", worker, options, root));
    }

    private static Undertow plain(
            Settings.Listen listen, String variable, XnioWorker worker, OptionMap options, HttpHandler handler) {
        Undertow.Builder builder = Undertow.builder()
                .setWorker(worker)
                .setBufferSize(BUFFER_BYTES)
                .addHttpListener(listen.port(), listen.host())
                .setHandler(handler);
        for (Option<?> option : options) {
            set(builder, option, options);
        }
        Undertow undertow = builder.build();
        try {
            undertow.start();
        } catch (RuntimeException e) {
            throw cannotListen(listen, variable, e);
        }
        return undertow;
    }

    private static <T> void set(Undertow.Builder builder, Option<T> option, OptionMap options) {
        T value = options.get(option);
        if (SOCKET_OPTIONS.contains(option)) {
            builder.setSocketOption(option, value);
        } else {
            builder.setServerOption(option, value);
        }
    }

    /** In words for an operator where there is something that one can do about it. */
    private static RuntimeException cannotListen(Settings.Listen listen, String variable, Exception e) {
        Throwable cause = e instanceof IOException ? e : e.getCause();
        if (cause instanceof BindException) {
            return new StartException(
                    "cannot listen on %s port %d: %s. Does another server use the port? See HOST and %s"
                            .formatted(listen.host(), listen.port(), cause.getMessage(), variable),
                    e);
        }
        return e instanceof RuntimeException same ? same : new IllegalStateException("cannot listen", e);
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
                .orElseGet(() -> uri("http", address(plain.orElseThrow())));
    }

    /** Of the plain port beside HTTPS. */
    OptionalInt redirectPort() {
        return tls.isPresent() && plain.isPresent()
                ? OptionalInt.of(address(plain.get()).getPort())
                : OptionalInt.empty();
    }

    private static InetSocketAddress address(Undertow undertow) {
        return (InetSocketAddress) undertow.getListenerInfo().get(0).getAddress();
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
        plain.ifPresent(Undertow::stop);
    }
}
