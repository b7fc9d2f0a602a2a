package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.ObjLongConsumer;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A stream that has an HTTP/1 connection for itself. After the greeting the connection's own conduit is written, the
 * socket's or that of TLS, with frames that carry their chunk framing, so that nothing else stands between a lane's buffer
 * and the socket. The connection is not used for anything else afterwards.
 *
 * <p>TLS takes one record at a time, and takes it even if the socket then does not: what is left of that record is pushed
 * on as the socket takes more, whether the lane has something to write or not.
 */
final class Http1Stream extends SseConnection {

    /** A client has nothing to say after its request; one that says more than this is cut off. */
    private static final int INPUT_BYTES_MAX = 16 << 10;

    private final ServerConnection connection;
    private final boolean encrypted;
    private final StreamSinkConduit sink;
    private final StreamSourceConduit source;
    private boolean awaited;
    private int inputBytes;

    Http1Stream(
            HttpServerExchange exchange,
            HttpServerConnection http,
            Lane lane,
            Plan plan,
            ObjLongConsumer<CloseReason> ended) {
        super(exchange, lane, plan, ended);
        this.connection = http;
        this.encrypted = http.getSslSessionInfo() != null;
        this.sink = http.getOriginalSinkConduit();
        this.source = http.getOriginalSourceConduit();
    }

    @Override
    void open(HttpServerExchange exchange, byte[] greeting) {
        StreamSinkChannel channel = exchange.getResponseChannel(); // makes the head
        // Else Undertow, after the end, waits on the closed connection for the next request: it would hold all of this
        // in memory until the idle timeout. Not before the head, which would say "Connection: close" then.
        exchange.setPersistent(false);
        greet(channel, ByteBuffer.wrap(greeting));
    }

    @Override
    void beforeLane() {
        sink.setWriteReadyHandler(new Writable());
        source.setReadReadyHandler(new Readable());
        connection.addCloseListener(gone -> connection.getIoThread().execute(this::gone));
    }

    @Override
    void afterLane() {
        source.resumeReads();
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        return encrypted ? writeRecords(bytes) : sink.write(bytes);
    }

    private int writeRecords(ByteBuffer bytes) throws IOException {
        int start = bytes.position();
        while (bytes.hasRemaining() && sink.write(bytes) > 0) {
            continue;
        }
        if (!sink.flush()) {
            sink.resumeWrites();
        }
        return bytes.position() - start;
    }

    @Override
    public void awaitWritable() {
        awaited = true;
        sink.resumeWrites();
    }

    @Override
    void end(CloseReason reason) {
        if (reason.isAnnounced()) {
            try { // so that what was written last arrives, even if the client has sent something meanwhile
                sink.terminateWrites();
                sink.flush();
            } catch (IOException e) {
                // It was about to be closed anyway.
            }
        }
        IoUtils.safeClose(connection);
    }

    private void onWritable() {
        try {
            if (!encrypted || sink.flush()) {
                sink.suspendWrites();
            }
        } catch (IOException e) {
            gone();
            return;
        }
        if (awaited) {
            awaited = false;
            writable();
        }
    }

    /** Nothing is expected but the end. */
    private void onReadable() {
        try {
            ByteBuffer input = ByteBuffer.allocate(512);
            int read = source.read(input);
            while (read > 0 && inputBytes <= INPUT_BYTES_MAX) {
                inputBytes += read;
                read = source.read(input.clear());
            }
            if (read < 0 || inputBytes > INPUT_BYTES_MAX) {
                gone();
            }
        } catch (IOException e) {
            gone();
        }
    }

    private final class Writable implements WriteReadyHandler {
        @Override
        public void writeReady() {
            onWritable();
        }

        @Override
        public void forceTermination() {
            gone();
        }

        @Override
        public void terminated() {
            // Told by the connection's close listener.
        }
    }

    private final class Readable implements ReadReadyHandler {
        @Override
        public void readReady() {
            onReadable();
        }

        @Override
        public void forceTermination() {
            gone();
        }

        @Override
        public void terminated() {
            // Told by the connection's close listener.
        }
    }
}
