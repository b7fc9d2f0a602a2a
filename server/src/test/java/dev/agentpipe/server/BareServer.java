package dev.agentpipe.server;

import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.server.browser.BrowserRules;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.stream.StreamHandler;
import dev.agentpipe.server.stream.Streams;
import io.undertow.server.handlers.PathHandler;
import java.time.Duration;
import java.util.List;
import org.xnio.XnioWorker;

/** HTTP and streams alone, at {@code /stream}, and at {@code /forbidden} for nobody, on any log; all other paths answer with an empty body. */
final class BareServer implements AutoCloseable {

    private final XnioWorker worker = HttpServer.worker();
    private final Streams streams;
    private final LogTail tail;
    private final HttpServer http;

    /** @param state of the log */
    BareServer(EventLog log, LogState state, HttpServer.Limits limits) {
        this(log, state, limits, Broadcaster.Limits.DEFAULT);
    }

    BareServer(EventLog log, LogState state, HttpServer.Limits limits, Broadcaster.Limits window) {
        Settings.Streams settings = Settings.builder()
                .streamHeartbeat(Duration.ofMillis(100))
                .build()
                .streams();
        streams = new Streams(log, state, window, settings, worker);
        tail = new LogTail(log, state.head(), Duration.ofMinutes(1), streams.broadcaster()).start();
        StreamHandler stream = new StreamHandler(streams, log, tail, state.epoch());
        http = new HttpServer(
                new Settings.Listen("127.0.0.1", 0),
                worker,
                ConnectionLimit.of(1, address -> false),
                new BrowserRules(List.of()),
                new PathHandler(exchange -> exchange.endExchange())
                        .addExactPath("/stream", stream)
                        .addExactPath("/forbidden", exchange -> {
                            exchange.putAttachment(Access.MAY_STILL_READ, () -> false); // as of somebody let in before
                            stream.handleRequest(exchange);
                        }),
                limits);
    }

    int port() {
        return http.uri().getPort();
    }

    int streams() {
        return streams.count();
    }

    @Override
    public void close() {
        streams.close();
        http.close();
        tail.close();
        try {
            HttpServer.stop(worker);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
