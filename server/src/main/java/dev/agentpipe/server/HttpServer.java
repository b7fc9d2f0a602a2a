package dev.agentpipe.server;

import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.http.BodyDeadline;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestId;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.GracefulShutdownHandler;
import io.undertow.util.StatusCodes;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.Xnio;
import org.xnio.XnioWorker;

/** Undertow: its options, its threads, and its orderly end. */
final class HttpServer implements AutoCloseable {

    /**
     * How long a connection may keep the server waiting.
     *
     * @param idle for a request; above the 90 s after which Go's client gives up an idle connection: else it would send
     *     into one just closed
     * @param head for the rest of a request's head
     * @param body for the end of a request
     */
    record Limits(Duration idle, Duration head, Duration body) {
        static final Limits DEFAULT =
                new Limits(Duration.ofSeconds(120), Duration.ofSeconds(10), Duration.ofSeconds(60));
    }

    /** A body larger than this is not even read to its end to be refused. */
    private static final long DRAINED_BYTES_MAX = 64L << 20;

    private static final int HEADER_BYTES_MAX = 32 << 10;
    private static final int BUFFER_BYTES = 16 << 10;

    /** What lies unsent in the kernel for one stream; the system's own default lets a slow reader have megabytes. */
    private static final int SEND_BUFFER_BYTES = 128 << 10;

    private static final int BACKLOG = 4_096;
    private static final int WORKERS_MAX = 16;
    private static final Duration REQUESTS_END = Duration.ofSeconds(4);

    private final GracefulShutdownHandler requests;
    private final Undertow undertow;

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

    HttpServer(Settings.Listen listen, XnioWorker worker, HttpHandler routes) {
        this(listen, worker, routes, Limits.DEFAULT);
    }

    HttpServer(Settings.Listen listen, XnioWorker worker, HttpHandler routes, Limits limits) {
        this.requests = new GracefulShutdownHandler(new BodyDeadline(limits.body, routes));
        this.undertow = Undertow.builder()
                .setWorker(worker)
                .setBufferSize(BUFFER_BYTES)
                .addHttpListener(listen.port(), listen.host())
                .setHandler(new RequestId(new BrowserRules(listen.allowedOrigins()).inFrontOf(this::admit)))
                .setServerOption(UndertowOptions.NO_REQUEST_TIMEOUT, Math.toIntExact(limits.idle.toMillis()))
                .setServerOption(UndertowOptions.REQUEST_PARSE_TIMEOUT, Math.toIntExact(limits.head.toMillis()))
                .setServerOption(UndertowOptions.MAX_ENTITY_SIZE, DRAINED_BYTES_MAX)
                .setServerOption(UndertowOptions.MAX_HEADER_SIZE, HEADER_BYTES_MAX)
                .setServerOption(UndertowOptions.ALWAYS_SET_KEEP_ALIVE, false)
                .setSocketOption(Options.BACKLOG, BACKLOG)
                .setSocketOption(Options.SEND_BUFFER, SEND_BUFFER_BYTES)
                .build();
        try {
            undertow.start();
        } catch (RuntimeException e) {
            if (e.getCause() instanceof BindException) {
                throw new StartException(
                        "cannot listen on %s port %d: %s. Does another server use the port? See HOST and PORT"
                                .formatted(
                                        listen.host(),
                                        listen.port(),
                                        e.getCause().getMessage()),
                        e);
            }
            throw e;
        }
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
        InetSocketAddress address =
                (InetSocketAddress) undertow.getListenerInfo().get(0).getAddress();
        String host = address.getAddress().isAnyLocalAddress() ? "127.0.0.1" : address.getHostString();
        return URI.create("http://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort());
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
        undertow.stop();
    }
}
