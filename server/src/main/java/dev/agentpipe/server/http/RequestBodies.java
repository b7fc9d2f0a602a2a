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
 * Content-Length}, and all bodies share one budget: each its share from its first byte until its request is answered, so
 * that those that wait for a worker or for the log count, too.
 *
 * <p>Thread-safe; each body is read on its connection's I/O thread.
 */
public final class RequestBodies {

    /** Why a body was not read. */
    public enum Failure {
        TOO_LARGE,
        /** All bodies together are too large. */
        NO_ROOM
    }

    private static final int FIRST_BYTES = 4 << 10;

    private final int bodyBytesMax;
    private final long allBytesMax;
    private final AtomicLong allBytes = new AtomicLong();

    public RequestBodies(int bodyBytesMax, long allBytesMax) {
        this.bodyBytesMax = bodyBytesMax;
        this.allBytesMax = allBytesMax;
    }

    /** What the bodies under way take. */
    long allBytes() {
        return allBytes.get();
    }

    /**
     * Takes the exchange over: returns at once, and calls exactly one of the consumers later, on the I/O thread, outside of
     * the handler's call, so that the exchange may be answered from anywhere. Neither is called if the client goes away
     * before its body is complete.
     */
    public void read(HttpServerExchange exchange, Consumer<byte[]> done, Consumer<Failure> failed) {
        Reading reading = new Reading(exchange, done, failed);
        exchange.addExchangeCompleteListener((completed, others) -> {
            reading.free();
            others.proceed();
        });
        exchange.dispatch(SameThreadExecutor.INSTANCE, RequestScope.step(exchange, reading::begin));
    }

    private final class Reading {
        private final HttpServerExchange exchange;
        private final Consumer<byte[]> done;
        private final Consumer<Failure> failed;
        private byte[] body = new byte[0];
        private int length;
        /** Why the body is only read to its end; null if it is wanted. */
        private Failure failure;

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
                        resume(exchange.getRequestChannel());
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

        private void resume(StreamSourceChannel channel) {
            RequestScope.run(exchange, () -> readOn(channel));
        }

        private void readOn(StreamSourceChannel channel) {
            try (PooledByteBuffer pooled =
                    exchange.getConnection().getByteBufferPool().allocate()) {
                ByteBuffer buffer = pooled.getBuffer();
                while (true) {
                    int read = channel.read(buffer.clear());
                    if (read < 0) {
                        channel.suspendReads();
                        end();
                        return;
                    }
                    if (read == 0) {
                        channel.getReadSetter().set(this::resume);
                        channel.resumeReads();
                        return;
                    }
                    if (failure == null && !add(buffer.flip())) {
                        free();
                        if (exchange.isPersistent()) {
                            channel.suspendReads();
                            failed.accept(failure);
                            return;
                        }
                        // The rest must be read before the answer: see Replies.
                    }
                }
            } catch (IOException e) {
                abandon();
            }
        }

        private void end() {
            if (failure != null) {
                failed.accept(failure);
            } else {
                done.accept(length == body.length ? body : Arrays.copyOf(body, length));
            }
        }

        private boolean add(ByteBuffer some) {
            int needed = length + some.remaining();
            if (needed > bodyBytesMax) {
                failure = Failure.TOO_LARGE;
            } else if (needed > body.length) {
                int size = Math.max(needed, roomFor(needed));
                if (allBytes.addAndGet(size - body.length) > allBytesMax) {
                    allBytes.addAndGet(body.length - size);
                    failure = Failure.NO_ROOM;
                } else {
                    body = Arrays.copyOf(body, size);
                }
            }
            if (failure != null) {
                return false;
            }
            int count = some.remaining();
            some.get(body, length, count);
            length += count;
            return true;
        }

        /** Twice what there was, and never more than the body is said to have. */
        private int roomFor(int needed) {
            long announced = exchange.getRequestContentLength();
            int most = announced < 0 ? bodyBytesMax : (int) Math.min(bodyBytesMax, announced);
            return Math.min(most, Math.max(2 * body.length, announced < 0 ? needed : FIRST_BYTES));
        }

        private void free() {
            allBytes.addAndGet(-body.length);
            body = new byte[0];
        }

        private void abandon() {
            exchange.setPersistent(false);
            exchange.endExchange();
        }
    }
}
