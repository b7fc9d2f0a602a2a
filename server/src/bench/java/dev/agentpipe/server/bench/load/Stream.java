package dev.agentpipe.server.bench.load;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads one stream: the answer's head, HTTP chunks, lines, events. Checks on the way that each event's position is greater
 * than that of the one before, which tells of repeats and of disorder; what is missing, {@link Deliveries} tells.
 *
 * <p>What is cut by the end of a read is held and looked at again with the next; a stream at rest holds nothing, since there
 * are thousands.
 *
 * <p>Confined to one thread.
 */
final class Stream {

    /** What a stream tells of. */
    interface Listener {
        /** Its first event has come, which is not one of the log. */
        void greeted(Stream stream, boolean reset);

        /** An event of a load has come. */
        void event(Stream stream, byte[] bytes, int from);
    }

    private static final byte[] CHUNKED = "\r\ntransfer-encoding: chunked".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ID = "id: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] RESET = "event: reset".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOTHING = {};
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long LINE_FEEDS = 0x0a0a0a0a0a0a0a0aL;

    private enum State {
        HEAD,
        CHUNKS,
        ENDED
    }

    /** Which conversation it reads, as a number of {@link Messages}; -1: all. */
    final int conversation;

    private final Listener listener;
    private State state = State.HEAD;
    private byte[] held = NOTHING;
    private boolean greeted;
    private String firstId = "";
    private long nextPosition = -1;
    private long position = -1;
    private long events;
    private long disorders;
    private long strangers;

    Stream(int conversation, Listener listener) {
        this.conversation = conversation;
        this.listener = listener;
    }

    /**
     * Puts what is held at the front of a buffer, behind which the next bytes are to be read.
     *
     * @return how many bytes that are
     */
    int begin(byte[] buffer) throws IOException {
        if (held.length > buffer.length / 2) {
            throw new IOException("an event of more than " + held.length + " bytes");
        }
        System.arraycopy(held, 0, buffer, 0, held.length);
        return held.length;
    }

    /** Takes the bytes of a buffer: those that were held, and those that came after them. */
    void read(byte[] bytes, int end) throws IOException {
        int at = state == State.HEAD ? head(bytes, end) : 0;
        while (state == State.CHUNKS) {
            int next = chunk(bytes, at, end);
            if (next < 0) {
                break;
            }
            at = next;
        }
        held = at == end ? NOTHING : Arrays.copyOfRange(bytes, at, end);
    }

    private int head(byte[] bytes, int end) throws IOException {
        int body = HttpHead.end(bytes, 0, end);
        if (body < 0) {
            return 0;
        }
        if (HttpHead.status(bytes, 0) != 200 || HttpHead.find(bytes, 0, body, CHUNKED) < 0) {
            throw new IOException("not a stream: " + new String(bytes, 0, body, StandardCharsets.US_ASCII));
        }
        state = State.CHUNKS;
        return body;
    }

    /** Reads one chunk, if all of it is there: the index after it, else -1. An event may end in a later chunk. */
    private int chunk(byte[] bytes, int from, int end) throws IOException {
        int size = 0;
        int at = from;
        while (at < end && bytes[at] != '\r') {
            size = size * 16 + Character.digit(bytes[at++], 16);
        }
        int data = at + 2;
        if (end < data + 2 || end - data - 2 < size) {
            return -1;
        }
        if (bytes[at + 1] != '\n' || bytes[data + size] != '\r' || bytes[data + size + 1] != '\n' || size < 0) {
            throw new IOException("broken chunk");
        }
        if (size == 0) {
            state = State.ENDED;
        } else {
            block(bytes, data, data + size);
        }
        return data + size + 2;
    }

    /**
     * Reads a chunk's events. This server puts whole events into a chunk; one that did not would be told here, not missed.
     */
    private void block(byte[] bytes, int from, int to) throws IOException {
        if (to - from < 2 || bytes[to - 1] != '\n' || bytes[to - 2] != '\n') {
            throw new IOException("a chunk ends within an event");
        }
        boolean reset = false;
        int data = -1;
        int dataEnd = -1;
        int line = from;
        while (line < to) {
            int end = lineEnd(bytes, line, to);
            if (end == line) {
                if (data >= 0) {
                    event(bytes, data, dataEnd, reset);
                }
                data = -1;
                reset = false;
            } else if (startsWith(bytes, line, end, DATA)) {
                data = line + DATA.length;
                dataEnd = end;
            } else if (startsWith(bytes, line, end, ID)) {
                id(bytes, line + ID.length, end);
            } else if (startsWith(bytes, line, end, RESET)) {
                reset = true;
            }
            line = end + 1;
        }
    }

    /** Eight bytes at a time, as the payload is most of what comes. */
    private static int lineEnd(byte[] bytes, int from, int to) {
        int at = from;
        for (; at + 8 <= to; at += 8) {
            long different = (long) LONGS.get(bytes, at) ^ LINE_FEEDS;
            long zeros = (different - 0x0101010101010101L) & ~different & 0x8080808080808080L;
            if (zeros != 0) {
                return at + (Long.numberOfTrailingZeros(zeros) >> 3);
            }
        }
        while (at < to && bytes[at] != '\n') {
            at++;
        }
        return at;
    }

    private static boolean startsWith(byte[] bytes, int from, int to, byte[] start) {
        return to - from >= start.length && Arrays.equals(bytes, from, from + start.length, start, 0, start.length);
    }

    private void id(byte[] bytes, int from, int to) {
        int dash = to - 1;
        while (dash > from && bytes[dash] != '-') {
            dash--;
        }
        nextPosition = HttpHead.number(bytes, dash + 1);
        if (!greeted) {
            firstId = new String(bytes, from, to - from, StandardCharsets.US_ASCII);
        }
    }

    private void event(byte[] bytes, int from, int to, boolean reset) {
        if (!greeted) {
            greeted = true;
            position = nextPosition;
            listener.greeted(this, reset);
            return;
        }
        if (nextPosition <= position) {
            disorders++;
        }
        position = nextPosition;
        events++;
        if (Messages.sentNanos(bytes, from, to) >= 0) {
            if (conversation >= 0 && Messages.conversation(bytes, from) != conversation) {
                strangers++;
            }
            listener.event(this, bytes, from);
        }
    }

    /** The id of its first event. */
    String firstId() {
        return firstId;
    }

    /** Events of the log. */
    long events() {
        return events;
    }

    /** Events that did not come after the one before, or that it has not asked for. */
    long disorders() {
        return disorders + strangers;
    }

    boolean hasEnded() {
        return state == State.ENDED;
    }
}
