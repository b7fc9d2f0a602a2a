package dev.agentpipe.server.upload;

import dev.agentpipe.server.http.RequestScope;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpContinue;
import io.undertow.util.SameThreadExecutor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.channels.StreamSourceChannel;

/**
 * Receives bodies into files, without a thread that waits for them. The I/O thread fills a piece of memory, a worker writes
 * it while nothing is read, and so on: a disk that is slow holds up no I/O thread, and a client that is slow none at all.
 *
 * <p>Bounded are the uploads at a time and their bytes together, each from its first byte until it is answered. Thread-safe.
 */
final class Spool {

    /** Why a body was not received. */
    enum Failure {
        TOO_LARGE,
        /** There are as many uploads as may be, or their bytes together are too many. */
        NO_ROOM,
        /** It cannot be written. */
        NO_DISK
    }

    /** Takes a body over. */
    interface Receiver {
        /** On a worker; the body is closed when the request is answered. */
        void received(SpooledBody body);

        /** On the I/O thread. */
        void failed(Failure failure);
    }

    private static final int PIECE_BYTES = 64 << 10;

    private static final Logger log = LoggerFactory.getLogger(Spool.class);

    private final int bodyBytesMax;
    private final int bodiesMax;
    private final long allBytesMax;
    private final AtomicInteger bodies = new AtomicInteger();
    private final AtomicLong allBytes = new AtomicLong();

    Spool(int bodyBytesMax, int bodiesMax, long allBytesMax) {
        this.bodyBytesMax = bodyBytesMax;
        this.bodiesMax = bodiesMax;
        this.allBytesMax = allBytesMax;
    }

    int bodies() {
        return bodies.get();
    }

    long allBytes() {
        return allBytes.get();
    }

    /**
     * Takes the exchange over: returns at once, and calls the receiver once, unless the client goes away before its body is
     * complete.
     */
    void receive(HttpServerExchange exchange, Receiver receiver) {
        exchange.dispatch(SameThreadExecutor.INSTANCE, RequestScope.step(exchange, () -> {
            // Up to here the rest of what is refused is read and thrown away: a client, or a proxy, whose connection is
            // closed
            // while it sends may never see why.
            exchange.setMaxEntitySize(Math.max(exchange.getMaxEntitySize(), 2L * bodyBytesMax));
            if (exchange.getRequestContentLength() > bodyBytesMax) {
                receiver.failed(Failure.TOO_LARGE);
            } else if (bodies.incrementAndGet() > bodiesMax) {
                bodies.decrementAndGet();
                receiver.failed(Failure.NO_ROOM);
            } else {
                new Receiving(exchange, receiver).begin();
            }
        }));
    }

    /** One body. Confined to its I/O thread, but for the time in which a worker writes. */
    private final class Receiving {
        private final HttpServerExchange exchange;
        private final Receiver receiver;
        private final ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
        private StreamSourceChannel channel;
        private SpooledBody body;
        private long bytes;
        private boolean ended;
        private Failure failure;

        Receiving(HttpServerExchange exchange, Receiver receiver) {
            this.exchange = exchange;
            this.receiver = receiver;
        }

        void begin() {
            exchange.addExchangeCompleteListener((completed, others) -> {
                bodies.decrementAndGet();
                free();
                others.proceed();
            });
            if (exchange.isRequestComplete()) {
                ended = true;
                writePiece();
                return;
            }
            if (HttpContinue.requiresContinueResponse(exchange)) {
                HttpContinue.sendContinueResponse(exchange, new IoCallback() {
                    @Override
                    public void onComplete(HttpServerExchange exchange, Sender sender) {
                        resume();
                    }

                    @Override
                    public void onException(HttpServerExchange exchange, Sender sender, IOException e) {
                        abandon();
                    }
                });
            } else {
                readOn();
            }
        }

        private void resume() {
            RequestScope.run(exchange, this::readOn);
        }

        private void readOn() {
            if (channel == null) {
                channel = exchange.getRequestChannel();
            }
            try {
                while (!ended) {
                    int read = channel.read(piece);
                    if (read == 0 && piece.hasRemaining()) {
                        channel.getReadSetter().set(readable -> resume());
                        channel.resumeReads();
                        return;
                    }
                    ended = read < 0;
                    if (failure == null && read > 0) {
                        count(read);
                    }
                    if (failure != null) {
                        piece.clear(); // the rest must be read before the answer
                    } else if (!piece.hasRemaining()) {
                        break;
                    }
                }
            } catch (IOException e) {
                abandon();
                return;
            }
            channel.suspendReads();
            if (failure != null) {
                receiver.failed(failure);
            } else {
                writePiece();
            }
        }

        private void count(int read) {
            bytes += read;
            if (allBytes.addAndGet(read) > allBytesMax) {
                failure = Failure.NO_ROOM;
            } else if (bytes > bodyBytesMax) {
                failure = Failure.TOO_LARGE;
            }
        }

        private void writePiece() {
            exchange.getConnection().getWorker().execute(RequestScope.step(exchange, () -> {
                try {
                    body = body == null ? SpooledBody.create() : body;
                    body.write(piece.flip());
                    piece.clear();
                } catch (IOException e) {
                    log.error("An upload cannot be kept in the folder for temporary files", e);
                    failure = Failure.NO_DISK;
                }
                if (ended && failure == null) {
                    receiver.received(body);
                } else {
                    exchange.getIoThread().execute(RequestScope.step(exchange, this::afterPiece));
                }
            }));
        }

        private void afterPiece() {
            if (failure != null && (ended || exchange.isPersistent())) {
                receiver.failed(failure);
            } else {
                readOn();
            }
        }

        private void free() {
            allBytes.addAndGet(-bytes);
            bytes = 0;
            if (body != null) {
                body.close();
            }
        }

        private void abandon() {
            exchange.setPersistent(false);
            exchange.endExchange();
        }
    }
}
