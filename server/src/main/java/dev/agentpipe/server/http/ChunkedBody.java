package dev.agentpipe.server.http;

import io.undertow.connector.PooledByteBuffer;
import io.undertow.server.Connectors;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpServerConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import org.xnio.IoUtils;
import org.xnio.channels.StreamSinkChannel;
import org.xnio.conduits.AbstractStreamSourceConduit;
import org.xnio.conduits.ConduitReadableByteChannel;
import org.xnio.conduits.StreamSourceConduit;

/**
 * A body in chunks, exactly as RFC 9112, 7.1 has it; anything else closes the connection. In place of Undertow's, which forgives:
 * a size that is no number ends the body, one of 2^58 ends it as well, what is left of a chunk up to the next line feed is
 * skipped, and trailers are kept in memory without a bound. What a proxy in front takes for a body would be run here
 * as a request of its own.
 *
 * <p>What was read and not asked for goes back to the connection, since that knows that it is there. Confined to the
 * connection's I/O thread, or to whom the exchange was handed.
 */
final class ChunkedBody extends AbstractStreamSourceConduit<StreamSourceConduit> {

    /** More than any body may have. */
    private static final int SIZE_DIGITS_MAX = 8;

    private static final int EXTENSION_BYTES_MAX = 256;
    private static final int TRAILERS_BYTES_MAX = 8 << 10;

    private enum State {
        SIZE,
        EXTENSION,
        SIZE_LF,
        DATA,
        DATA_CR,
        DATA_LF,
        TRAILER_BEGIN,
        TRAILER,
        TRAILER_LF,
        LAST_LF,
        END
    }

    private final HttpServerExchange exchange;
    private final HttpServerConnection connection;
    private State state = State.SIZE;
    /** Of the chunk's size. */
    private int digits;
    /** Of the chunk's extension, or of all trailers. */
    private int ignoredBytes;

    private long chunkRest;
    private long bodyBytes;
    private boolean told;

    ChunkedBody(StreamSourceConduit next, HttpServerExchange exchange) {
        super(next);
        this.exchange = exchange;
        this.connection = (HttpServerConnection) exchange.getConnection();
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        try {
            int from = into.position();
            while (state != State.END && into.hasRemaining() && fill(into)) {
                // On to the next piece.
            }
            int read = into.position() - from;
            count(read);
            if (state != State.END || read > 0) {
                return read;
            }
        } catch (IOException | RuntimeException | Error e) {
            IoUtils.safeClose(connection);
            throw e;
        }
        if (!told) {
            told = true;
            Connectors.terminateRequest(exchange);
        }
        return -1;
    }

    /** Whether anything was there. */
    private boolean fill(ByteBuffer into) throws IOException {
        PooledByteBuffer pooled = connection.getByteBufferPool().allocate();
        ByteBuffer raw = pooled.getBuffer();
        boolean left = false;
        try {
            int read = next.read(raw);
            raw.flip();
            if (read < 0) {
                throw new ClosedChannelException();
            }
            while (raw.hasRemaining() && state != State.END && (state != State.DATA || into.hasRemaining())) {
                if (state == State.DATA) {
                    copy(raw, into);
                } else {
                    state = after(raw.get());
                }
            }
            left = raw.hasRemaining();
            return read > 0;
        } finally {
            if (left) {
                connection.ungetRequestBytes(pooled);
            } else {
                pooled.close();
            }
        }
    }

    private void copy(ByteBuffer raw, ByteBuffer into) {
        int count = (int) Math.min(chunkRest, Math.min(raw.remaining(), into.remaining()));
        into.put(into.position(), raw, raw.position(), count);
        into.position(into.position() + count);
        raw.position(raw.position() + count);
        chunkRest -= count;
        if (chunkRest == 0) {
            state = State.DATA_CR;
        }
    }

    private State after(byte next) throws IOException {
        return switch (state) {
            case SIZE -> size(next);
            case EXTENSION -> ignored(next, EXTENSION_BYTES_MAX, State.EXTENSION, State.SIZE_LF);
            case SIZE_LF -> {
                ignoredBytes = 0;
                yield expected(next, '\n', chunkRest == 0 ? State.TRAILER_BEGIN : State.DATA);
            }
            case DATA_CR -> expected(next, '\r', State.DATA_LF);
            case DATA_LF -> {
                digits = 0;
                yield expected(next, '\n', State.SIZE);
            }
            case TRAILER_BEGIN ->
                next == '\r' ? State.LAST_LF : ignored(next, TRAILERS_BYTES_MAX, State.TRAILER, State.LAST_LF);
            case TRAILER -> ignored(next, TRAILERS_BYTES_MAX, State.TRAILER, State.TRAILER_LF);
            case TRAILER_LF -> expected(next, '\n', State.TRAILER_BEGIN);
            case LAST_LF -> expected(next, '\n', State.END);
            case DATA, END -> throw new IllegalStateException(state.name());
        };
    }

    private State size(byte next) throws IOException {
        int digit = Character.digit(next, 16);
        if (digit >= 0 && ++digits <= SIZE_DIGITS_MAX) {
            chunkRest = chunkRest << 4 | digit;
            return State.SIZE;
        }
        if (digits == 0 || digit >= 0) {
            throw new IOException("no size of a chunk");
        }
        ignoredBytes = 0;
        return switch (next) {
            case '\r' -> State.SIZE_LF;
            case ';', ' ', '\t' -> State.EXTENSION;
            default -> throw new IOException("no size of a chunk");
        };
    }

    /** What nobody asks for, up to the end of its line. */
    private State ignored(byte next, int bytesMax, State on, State end) throws IOException {
        if (next == '\r') {
            return end;
        }
        if (++ignoredBytes > bytesMax || next != '\t' && next >= 0 && next < ' ') {
            throw new IOException("no end of a line in a chunked body");
        }
        return on;
    }

    private static State expected(byte next, char expected, State then) throws IOException {
        if (next != expected) {
            throw new IOException("no end of a line in a chunked body");
        }
        return then;
    }

    private void count(int read) throws IOException {
        bodyBytes += read;
        long max = exchange.getMaxEntitySize();
        if (max > 0 && bodyBytes > max) {
            throw new IOException("a body of more than " + max + " bytes");
        }
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) throws IOException {
        for (int i = offset; i < offset + length; i++) {
            if (into[i].hasRemaining()) {
                return read(into[i]);
            }
        }
        return 0;
    }

    @Override
    public long transferTo(long position, long count, FileChannel target) throws IOException {
        return target.transferFrom(new ConduitReadableByteChannel(this), position, count);
    }

    @Override
    public long transferTo(long count, ByteBuffer through, StreamSinkChannel target) throws IOException {
        return IoUtils.transfer(new ConduitReadableByteChannel(this), count, through, target);
    }

    @Override
    public void terminateReads() throws IOException {
        if (state != State.END) {
            exchange.setPersistent(false);
        }
        super.terminateReads();
    }
}
