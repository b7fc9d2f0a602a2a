package dev.agentpipe.server.tls;

import io.undertow.connector.ByteBufferPool;
import io.undertow.connector.PooledByteBuffer;
import io.undertow.protocols.http2.Http2Channel;
import io.undertow.server.ConnectorStatistics;
import io.undertow.server.DelegateOpenListener;
import io.undertow.server.HttpHandler;
import io.undertow.server.protocol.http2.Http2ReceiveListener;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.xnio.IoUtils;
import org.xnio.OptionMap;
import org.xnio.StreamConnection;

/** Opens HTTP/2 connections, as Undertow's own listener does, but with limits of ours. Thread-safe. */
final class Http2Listener implements DelegateOpenListener {

    private final ByteBufferPool pool;
    private final Set<Http2Connection> connections = ConcurrentHashMap.newKeySet();
    private volatile OptionMap options;
    private volatile HttpHandler handler;

    Http2Listener(ByteBufferPool pool, OptionMap options) {
        this.pool = pool;
        this.options = options;
    }

    @Override
    public void handleEvent(StreamConnection connection) {
        handleEvent(connection, null);
    }

    @Override
    public void handleEvent(StreamConnection connection, PooledByteBuffer read) {
        Http2Connection http2 = new Http2Connection(connection, pool, read, options);
        connections.add(http2);
        http2.addCloseTask(connections::remove);
        http2.getReceiveSetter().set(new Http2ReceiveListener(handler, options, pool.getBufferSize(), null));
        http2.resumeReceives();
    }

    /** Tells the clients that nothing more is taken on these connections, and closes them. */
    void goAway() {
        connections.forEach(connection ->
                connection.getIoThread().execute(() -> connection.sendGoAway(Http2Channel.ERROR_NO_ERROR)));
    }

    @Override
    public void closeConnections() {
        connections.forEach(IoUtils::safeClose);
    }

    @Override
    public HttpHandler getRootHandler() {
        return handler;
    }

    @Override
    public void setRootHandler(HttpHandler root) {
        handler = Http2Connection.limit(root);
    }

    @Override
    public OptionMap getUndertowOptions() {
        return options;
    }

    @Override
    public void setUndertowOptions(OptionMap given) {
        options = given;
    }

    @Override
    public ByteBufferPool getBufferPool() {
        return pool;
    }

    @Override
    public ConnectorStatistics getConnectorStatistics() {
        return null;
    }
}
