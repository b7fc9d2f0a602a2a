package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import dev.agentpipe.core.broadcast.Outlet;
import dev.agentpipe.core.broadcast.Subscription;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.server.http.Access;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.ServerConnection;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.ReadReadyHandler;
import org.xnio.conduits.StreamSinkConduit;
import org.xnio.conduits.StreamSourceConduit;
import org.xnio.conduits.WriteReadyHandler;

/**
 * A stream on an HTTP/1 connection. The head of the answer and the greeting go through Undertow; from then on the
 * connection's own conduit is written, with frames that carry their chunk framing, so that nothing stands between a lane's
 * buffer and the socket. The connection is not used for anything else afterwards.
 *
 * <p>One I/O thread owns it; {@link #open} is called there.
 */
final class SseConnection implements Outlet {

    /** A client has nothing to say after its request; one that says more than this is cut off. */
    private static final int INPUT_BYTES_MAX = 16 << 10;

    private final ServerConnection connection;
    private final StreamSinkConduit sink;
    private final StreamSourceConduit source;
    private final Lane lane;
    private final Subscription subscription;
    private final Consumer<CloseReason> ended;
    private final BooleanSupplier mayStillRead;
    private int inputBytes;
    private boolean closed;

    /** @param ended told once, why */
    SseConnection(
            HttpServerExchange exchange,
            Lane lane,
            EventFilter filter,
            int form,
            long after,
            Duration ageMax,
            Consumer<CloseReason> ended) {
        HttpServerConnection http = (HttpServerConnection) exchange.getConnection();
        this.connection = http;
        this.sink = http.getOriginalSinkConduit();
        this.source = http.getOriginalSourceConduit();
        this.lane = lane;
        this.ended = ended;
        BooleanSupplier given = exchange.getAttachment(Access.MAY_STILL_READ);
        this.mayStillRead = given == null ? () -> true : given;
        this.subscription = new Subscription(filter, form, this, after, ageMax);
    }

    /** Writes head and greeting, then joins the lane. */
    void open(HttpServerExchange exchange, byte[] greeting) {
        StreamSinkChannel channel = exchange.getResponseChannel(); // makes the head
        // Else Undertow, after the end, waits on the closed connection for the next request: it would hold all of this
        // in memory until the idle timeout. Not before the head, which would say "Connection: close" then.
        exchange.setPersistent(false);
        greet(channel, ByteBuffer.wrap(greeting));
    }

    private void greet(StreamSinkChannel channel, ByteBuffer greeting) {
        try {
            while (greeting.hasRemaining() && channel.write(greeting) > 0) {
                continue;
            }
            if (greeting.hasRemaining() || !channel.flush()) {
                channel.getWriteSetter().set(writable -> greet(writable, greeting));
                channel.resumeWrites();
                return;
            }
        } catch (IOException e) {
            close(CloseReason.GONE);
            return;
        }
        channel.suspendWrites();
        sink.setWriteReadyHandler(new Writable());
        source.setReadReadyHandler(new Readable());
        connection.addCloseListener(gone -> connection.getIoThread().execute(this::gone));
        lane.attach(subscription);
        if (!mayStillRead()) { // since the request was let in: nobody could end it before it was attached
            lane.end(outlet -> outlet == this, CloseReason.FORBIDDEN);
        }
        if (!closed) {
            source.resumeReads();
        }
    }

    boolean mayStillRead() {
        return mayStillRead.getAsBoolean();
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        return sink.write(bytes);
    }

    @Override
    public void awaitWritable() {
        sink.resumeWrites();
    }

    @Override
    public void close(CloseReason reason) {
        closed = true;
        ended.accept(reason);
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

    private void gone() {
        if (!closed) {
            lane.gone(subscription);
        }
    }

    private void onWritable() {
        sink.suspendWrites();
        lane.writable(subscription);
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
