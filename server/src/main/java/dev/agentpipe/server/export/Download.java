package dev.agentpipe.server.export;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.server.export.Export.GoneException;
import dev.agentpipe.server.export.Export.Piece;
import dev.agentpipe.server.http.Reads;
import io.undertow.io.IoCallback;
import io.undertow.io.Sender;
import io.undertow.server.HttpServerExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.IoUtils;
import org.xnio.XnioExecutor;

/**
 * Sends an export to its client: a piece, and when that has been taken, the next one. Ends in one of two ways: with the end of
 * the answer, or by closing the connection before it, so that the client sees that something is missing.
 *
 * <p>Confined to the connection's I/O thread, but for {@link Export}, which is called by one thread at a time.
 */
final class Download implements IoCallback {

    /** So much must be taken within {@link #STALL_MAX}; about half of what a socket's buffer holds. */
    private static final int SLICE_BYTES = 64 << 10;

    /** As for a stream's reader. */
    static final Duration STALL_MAX = Duration.ofSeconds(10);

    /** Between two tries to get a thread, while there is none for so much as a queue. */
    private static final Duration AGAIN = Duration.ofMillis(200);

    private static final Logger log = LoggerFactory.getLogger(Download.class);

    private final HttpServerExchange exchange;
    private final Export export;
    private final Reads reads;
    private final Runnable ended;
    private final Duration stallMax;

    private Piece piece;
    private ByteBuffer bytes;
    private XnioExecutor.Key timer;
    private boolean over;

    /** @param ended called once, at the end of either kind */
    Download(HttpServerExchange exchange, Export export, Reads reads, Duration stallMax, Runnable ended) {
        this.exchange = exchange;
        this.export = export;
        this.reads = reads;
        this.stallMax = stallMax;
        this.ended = ended;
    }

    void send(Piece next) {
        piece = next;
        bytes = ByteBuffer.wrap(next.bytes());
        sendSlice();
    }

    private void sendSlice() {
        awaitClient();
        ByteBuffer slice = bytes.slice(bytes.position(), Math.min(SLICE_BYTES, bytes.remaining()));
        bytes.position(bytes.position() + slice.remaining());
        exchange.getResponseSender().send(slice, this);
    }

    private void awaitClient() {
        timer = exchange.getIoThread().executeAfter(this::abort, stallMax.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void onComplete(HttpServerExchange same, Sender sender) {
        timer.remove();
        if (over) {
            return;
        }
        if (bytes.hasRemaining()) {
            sendSlice();
        } else if (piece.isLast()) {
            awaitClient();
            exchange.addExchangeCompleteListener((completed, others) -> {
                finish();
                others.proceed();
            });
            exchange.endExchange();
        } else {
            piece = null;
            bytes = null;
            readNext();
        }
    }

    private void readNext() {
        if (!exchange.getConnection().isOpen()) {
            abort();
        } else if (!reads.next(exchange, this::read)) {
            timer = exchange.getIoThread().executeAfter(this::readNext, AGAIN.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** On a thread that may block. */
    private Runnable read() {
        try {
            Piece next = export.next();
            return () -> send(next);
        } catch (GoneException | LogUnavailableException e) {
            log.info("An export ended before its end: {}", e.getMessage());
            return this::abort;
        } catch (RuntimeException | Error e) {
            log.error("An export failed", e);
            return this::abort;
        }
    }

    /** The client has gone away, or the connection was closed. */
    @Override
    public void onException(HttpServerExchange same, Sender sender, IOException broken) {
        abort();
    }

    /** Without the end of the answer: no client may take what it has for all. */
    private void abort() {
        if (!over) {
            finish();
            IoUtils.safeClose(exchange.getConnection());
            exchange.endExchange();
        }
    }

    private void finish() {
        if (!over) {
            over = true;
            timer.remove();
            ended.run();
        }
    }
}
