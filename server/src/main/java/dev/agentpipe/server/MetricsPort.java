package dev.agentpipe.server;

import io.undertow.server.DefaultByteBufferPool;
import io.undertow.server.HttpHandler;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.OptionMap;
import org.xnio.Options;
import org.xnio.XnioWorker;

/** The port on which the metrics are: apart from the server's own, since it asks for no key. */
final class MetricsPort implements AutoCloseable {

    private static final int CONNECTIONS_MAX = 64;
    private static final int CONNECTIONS_OF_ADDRESS_MAX = 32;

    /** Whoever asks for the metrics must take them. */
    private static final int WRITE_TIMEOUT_MILLIS = 10_000;

    private static final Logger log = LoggerFactory.getLogger(MetricsPort.class);

    private final PlainListener listener;

    MetricsPort(Settings.Metrics settings, XnioWorker worker, HttpHandler handler) {
        OptionMap options = OptionMap.builder()
                .addAll(HttpServer.options(HttpServer.Limits.DEFAULT))
                .set(Options.WRITE_TIMEOUT, WRITE_TIMEOUT_MILLIS)
                .getMap();
        try {
            listener = new PlainListener(
                    new InetSocketAddress(settings.host(), settings.port()),
                    worker,
                    new DefaultByteBufferPool(true, HttpServer.BUFFER_BYTES, -1, HttpServer.BUFFERS_BY_THREAD),
                    options,
                    new ConnectionLimit(CONNECTIONS_OF_ADDRESS_MAX, CONNECTIONS_MAX, nobody -> false, System::nanoTime),
                    handler);
        } catch (BindException e) {
            throw new StartException(
                    ("cannot listen on %s port %d for the metrics: %s. Does another server use the port? Give this one"
                                    + " another METRICS_PORT (and METRICS_HOST), or set ENABLE_METRICS=false")
                            .formatted(settings.host(), settings.port(), e.getMessage()),
                    e);
        } catch (IOException e) {
            throw new IllegalStateException("cannot listen for the metrics", e);
        }
        log.info(
                "Metrics are at http://{}:{}/metrics",
                settings.host(),
                address().getPort());
    }

    InetSocketAddress address() {
        return listener.address();
    }

    @Override
    public void close() {
        listener.close();
    }
}
