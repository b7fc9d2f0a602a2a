package dev.agentpipe.server.http;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpContinue;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.xnio.channels.StreamSourceChannel;

/**
 * Reads bodies without a thread that waits for them. Memory is taken as bytes arrive, never on the word of a {@code
 * Content-Length}, and all bodies that are under way share one budget.
 *
 * <p>Thread-safe; each body is read on its connection's I/O thread.
 */
final class RequestBodies {

    /** Why a body was not read. */
    enum Failure {
        TOO_LARGE,
        /** All bodies together are too large. */
        NO_ROOM
    }

    private static final int FIRST_BYTES = 4 << 10;

    private final int bodyBytesMax;
    private final long allBytesMax;
    private final AtomicLong allBytes = new AtomicLong();

    RequestBodies(int bodyBytesMax, long allBytesMax) {
        this.bodyBytesMax = bodyBytesMax;
        this.allBytesMax = allBytesMax;
    }

    /**
     * Takes the exchange over: returns at once, and calls exactly one of the consumers later, on the I/O thread, outside of
     * the handler's call, so that the exchange may be answered from anywhere. Neither is called if the client goes away
     * before its body is complete.
     */
    void read(HttpServerExchange exchange, Consumer<byte[]> done, Consumer<Failure> failed) {
        Reading reading = new Reading(exchange, done, failed);
        exchange.dispatch(SameThreadExecutor.INSTANCE, reading::begin);
    }

    private final class Reading {
        private final HttpServerExchange exchange;
        private final Consumer<byte[]> done;
        private final Consumer<Failure> failed;
        private byte[] body = new byte[0];
        private int length;

        Reading(HttpServerExchange exchange, Consumer<byte[]> done, Consumer<Failure> failed) {
            this.exchange = exchange;
            this.done = done;
            this.failed = failed;
        }

        void begin() {
            if (exchange.isRequestComplete()) {
                done.accept(body);
            } else if (exchange.getRequestContentLength() > bodyBytesMax) {
                failed.accept(Failure.TOO_LARGE);
            } else if (HttpContinue.requiresContinueResponse(exchange)) {
                HttpContinue.sendContinueResponse(exchange, new IoCallback() {
                    @Override
                    public void onComplete(HttpServerExchange exchange, Sender sender) {
                        readOn(exchange.getRequestChannel());
                    }

                    @Override
                    public void onException(HttpServerExchange exchange, Sender sender, IOException e) {
                        abandon();
                    }
                });
            } else {
                readOn(exchange.getRequestChannel());
            }
        }

        private void readOn(StreamSourceChannel channel) {
            try (PooledByteBuffer pooled =
                    exchange.getConnection().getByteBufferPool().allocate()) {
                ByteBuffer buffer = pooled.getBuffer();
                while (true) {
                    buffer.clear();
                    int read = channel.read(buffer);
                    if (read < 0) {
                        channel.suspendReads();
                        free();
                        done.accept(length == body.length ? body : Arrays.copyOf(body, length));
                        return;
                    }
                    if (read == 0) {
                        channel.getReadSetter().set(this::readOn);
                        channel.resumeReads();
                        return;
                    }
                    Failure failure = add(buffer.flip());
                    if (failure != null) {
                        channel.suspendReads();
                        free();
                        failed.accept(failure);
                        return;
                    }
                }
            } catch (IOException e) {
                abandon();
            }
        }

        private Failure add(ByteBuffer some) {
            int needed = length + some.remaining();
            if (needed > bodyBytesMax) {
                return Failure.TOO_LARGE;
            }
            if (needed > body.length) {
                int expected = (int) Math.min(exchange.getRequestContentLength(), FIRST_BYTES);
                int size = Math.min(bodyBytesMax, Math.max(needed, Math.max(2 * body.length, expected)));
                if (allBytes.addAndGet(size - body.length) > allBytesMax) {
                    allBytes.addAndGet(body.length - size);
                    return Failure.NO_ROOM;
                }
                body = Arrays.copyOf(body, size);
            }
            int count = some.remaining();
            some.get(body, length, count);
            length += count;
            return null;
        }

        private void free() {
            allBytes.addAndGet(-body.length);
        }

        private void abandon() {
            free();
            exchange.setPersistent(false);
            exchange.endExchange();
        }
    }
}
