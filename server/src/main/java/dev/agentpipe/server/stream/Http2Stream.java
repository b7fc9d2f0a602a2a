package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.function.ObjLongConsumer;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;

/**
 * A stream among others on an HTTP/2 connection. Undertow frames what is written, and keeps at most one frame of it, 16 KiB,
 * until the client's windows for this stream and for the connection let it go. While they do not, nothing more is taken,
 * so a reader that stops is found out as on HTTP/1, and the other streams of its connection go on.
 */
final class Http2Stream extends SseConnection {

    private final HttpServerExchange exchange;
    private StreamSinkChannel channel;
    private boolean awaited;

    Http2Stream(HttpServerExchange exchange, Lane lane, Plan plan, ObjLongConsumer<CloseReason> ended) {
        super(exchange, lane, plan, ended);
        this.exchange = exchange;
    }

    @Override
    void open(HttpServerExchange exchange, byte[] greeting) {
        channel = exchange.getResponseChannel();
        greet(channel, ByteBuffer.wrap(greeting));
    }

    @Override
    void beforeLane() {
        channel.getWriteSetter().set(ready -> onWritable());
    }

    @Override
    void afterLane() {
        try {
            push();
        } catch (IOException e) {
            gone();
        }
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
        int start = bytes.position();
        while (bytes.hasRemaining() && channel.write(bytes) > 0) {
            continue;
        }
        push();
        return bytes.position() - start;
    }

    /**
     * Lets go what the windows let, and asks to be called for the rest. Undertow says that all was flushed when a part of
     * the frame was; it takes the rest back, and only a second call gets that in line for the window.
     */
    private void push() throws IOException {
        if (!channel.flush() || !channel.flush()) {
            channel.resumeWrites();
        }
    }

    @Override
    public void awaitWritable() {
        awaited = true;
        channel.resumeWrites();
    }

    /** Undertow calls it as well, whether asked to or not, when the stream was reset or the connection is gone. */
    private void onWritable() {
        if (isClosed()) {
            return;
        }
        channel.suspendWrites();
        try {
            push(); // completes the exchange of a stream that is no more
        } catch (IOException e) {
            gone();
            return;
        }
        if (exchange.isResponseComplete()) {
            gone();
        } else if (awaited) {
            awaited = false;
            writable();
        }
    }

    @Override
    void end(CloseReason reason) {
        if (!reason.isAnnounced() || !finish()) {
            IoUtils.safeClose(exchange.getConnection()); // resets this stream alone
        }
        exchange.endExchange();
    }

    private boolean finish() {
        try {
            channel.shutdownWrites();
            return channel.flush();
        } catch (IOException e) {
            return false;
        }
    }
}
