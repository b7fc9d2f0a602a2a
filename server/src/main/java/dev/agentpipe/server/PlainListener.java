package dev.agentpipe.server;

import io.undertow.UndertowOptions;
import io.undertow.connector.ByteBufferPool;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http.HttpOpenListener;
import java.io.IOException;
import java.net.InetSocketAddress;
import org.xnio.ChannelListeners;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;
import org.xnio.XnioWorker;
import org.xnio.channels.AcceptingChannel;

/**
 * A port that speaks HTTP/1.1. Put together from Undertow's parts, since its builder has no place for a limit on
 * connections. Thread-safe.
 */
final class PlainListener implements AutoCloseable {

    private final AcceptingChannel<StreamConnection> accepting;

    /** @param options of connections and of HTTP, as Undertow has them */
    PlainListener(
            InetSocketAddress address,
            XnioWorker worker,
            ByteBufferPool pool,
            OptionMap options,
            ConnectionLimit connections,
            HttpHandler handler)
            throws IOException {
        HttpOpenListener http = new HttpOpenListener(
                pool,
                OptionMap.builder()
                        .set(UndertowOptions.BUFFER_PIPELINED_DATA, true)
                        .addAll(options)
                        .getMap());
        http.setRootHandler(handler);
        accepting = worker.createStreamConnectionServer(
                address,
                ChannelListeners.openListenerAdapter(connection -> {
                    if (connections.test(connection)) {
                        http.handleEvent(connection);
                    } else {
                        IoUtils.safeClose(connection);
                    }
                }),
                options);
        accepting.resumeAccepts();
    }

    InetSocketAddress address() {
        return accepting.getLocalAddress(InetSocketAddress.class);
    }

    /** Takes no more connections; those that there are go on. */
    @Override
    public void close() {
        IoUtils.safeClose(accepting);
    }
}
