package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Frame;
import dev.agentpipe.core.broadcast.Wire;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.http.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The wire format of a stream (WHATWG HTML, section 9.2, and chunks of RFC 9112, section 7.1). The only place that knows
 * it.
 *
 * <p>A payload is one line of JSON, so a record is one {@code data:} line. Four forms: with and without an {@code event:}
 * field; framed as an HTTP chunk, or bare for HTTP/1.0.
 *
 * <p>Thread-safe.
 */
final class SseFrames implements Wire {

    private static final int NAMED = 1;
    private static final int BARE = 2;
    private static final int FORMS = 4;

    // Milliseconds after which a reader comes back: spread, so that those who were cut together do not return together.
    private static final int RETRY_MIN = 2_000;
    private static final int RETRY_MAX = 7_000;
    private static final int RETRY_OVERLOADED_MIN = 5_000;
    private static final int RETRY_OVERLOADED_MAX = 30_000;
    private static final int RETRY_SHUTDOWN_MIN = 1_000;
    private static final int RETRY_SHUTDOWN_MAX = 10_000;
    private static final int RETRY_AGED_MIN = 100;
    private static final int RETRY_AGED_MAX = 2_000;

    private static final byte[] LAST_CHUNK = ascii("0\r\n\r\n");

    private final String epoch;

    SseFrames(String epoch) {
        this.epoch = epoch;
    }

    /** The form that a stream reads. */
    static int form(boolean named, boolean chunked) {
        return (named ? NAMED : 0) | (chunked ? 0 : BARE);
    }

    static boolean isChunked(int form) {
        return (form & BARE) == 0;
    }

    @Override
    public int forms() {
        return FORMS;
    }

    @Override
    public Frame frame(LogRecord record) {
        return new SseFrame(record);
    }

    @Override
    public byte[] heartbeat(int form, long position) {
        return framed(form, ascii(position < 0 ? ":heartbeat\n\n" : ":heartbeat\nid: " + id(position) + "\n\n"));
    }

    @Override
    public byte[] farewell(int form, CloseReason reason) {
        int retry = reason == CloseReason.AGED
                ? between(RETRY_AGED_MIN, RETRY_AGED_MAX)
                : between(RETRY_SHUTDOWN_MIN, RETRY_SHUTDOWN_MAX);
        byte[] last = framed(form, ascii("retry: " + retry + "\n\n"));
        return isChunked(form) ? concat(last, LAST_CHUNK) : last;
    }

    /**
     * The beginning of a stream that goes on after a position.
     *
     * @param position what the reader has
     */
    byte[] greeting(int form, long position) {
        Map<String, Object> connected = new LinkedHashMap<>();
        connected.put("type", "connected");
        connected.put("timestamp", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        connected.put("message", "Connected to the event stream");
        return beginning(form, null, id(position), connected);
    }

    /** The beginning of a stream that cannot go on where the reader was: it reloads, and reads on from {@code latest}. */
    byte[] reset(int form, String reason, String requested, long oldest, long latest) {
        Map<String, Object> reset = new LinkedHashMap<>();
        reset.put("reason", reason);
        reset.put("requested", ApiKey.isIn(requested) ? "…" : requested);
        reset.put("oldest", id(oldest));
        reset.put("latest", id(latest));
        return beginning(form, "reset", id(latest), reset);
    }

    private static byte[] beginning(int form, String event, String id, Map<String, Object> data) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(ascii("retry: " + between(RETRY_MIN, RETRY_MAX) + "\n"));
        if (event != null) {
            out.writeBytes(ascii("event: " + event + "\n"));
        }
        out.writeBytes(ascii("id: " + id + "\ndata: "));
        out.writeBytes(Json.bytes(data));
        out.writeBytes(ascii("\n\n"));
        return framed(form, out.toByteArray());
    }

    /** All of the answer to one for whom there is no room: EventSource comes back after a 200, and after nothing else. */
    static byte[] overloaded() {
        return ascii("retry: " + between(RETRY_OVERLOADED_MIN, RETRY_OVERLOADED_MAX)
                + "\nevent: overloaded\ndata: {\"reason\":\"overloaded\"}\n\n");
    }

    private String id(long position) {
        return new StreamId(epoch, position).toString();
    }

    private static int between(int min, int max) {
        return ThreadLocalRandom.current().nextInt(min, max + 1);
    }

    private static byte[] framed(int form, byte[] bare) {
        return isChunked(form) ? chunk(bare) : bare;
    }

    private static byte[] chunk(byte[] bare) {
        byte[] size = ascii(Integer.toHexString(bare.length) + "\r\n");
        byte[] chunk = new byte[size.length + bare.length + 2];
        System.arraycopy(size, 0, chunk, 0, size.length);
        System.arraycopy(bare, 0, chunk, size.length, bare.length);
        chunk[chunk.length - 2] = '\r';
        chunk[chunk.length - 1] = '\n';
        return chunk;
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = new byte[a.length + b.length];
        System.arraycopy(a, 0, both, 0, a.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A record in the form that nearly all read, and in the others once somebody asks for them. */
    private final class SseFrame implements Frame {
        private final long position;
        private final EventType type;
        private final String conversationId;
        /** Where the payload lies in form 0, of which the other forms are made. */
        private final int payloadFrom;

        private final int payloadLength;
        private final AtomicReferenceArray<byte[]> forms = new AtomicReferenceArray<>(FORMS);

        SseFrame(LogRecord record) {
            this.position = record.position();
            this.type = record.type();
            this.conversationId = record.conversationId();
            this.payloadLength = record.payload().length;
            byte[] first = encode(0, record.payload(), 0, payloadLength);
            this.payloadFrom = first.length - "\n\n\r\n".length() - payloadLength;
            forms.set(0, first);
        }

        @Override
        public long position() {
            return position;
        }

        @Override
        public EventType type() {
            return type;
        }

        @Override
        public String conversationId() {
            return conversationId;
        }

        @Override
        public byte[] bytes(int form) {
            byte[] bytes = forms.get(form);
            if (bytes == null) {
                bytes = encode(form, forms.get(0), payloadFrom, payloadLength);
                forms.set(form, bytes);
            }
            return bytes;
        }

        private byte[] encode(int form, byte[] payload, int from, int length) {
            String event = (form & NAMED) == 0 ? "" : "event: " + type.wireName() + "\n";
            byte[] head = ascii(event + "id: " + id(position) + "\ndata: ");
            int bare = head.length + length + 2;
            byte[] size = isChunked(form) ? ascii(Integer.toHexString(bare) + "\r\n") : new byte[0];
            byte[] frame = new byte[size.length + bare + (isChunked(form) ? 2 : 0)];
            System.arraycopy(size, 0, frame, 0, size.length);
            System.arraycopy(head, 0, frame, size.length, head.length);
            int at = size.length + head.length;
            System.arraycopy(payload, from, frame, at, length);
            at += length;
            frame[at++] = '\n';
            frame[at++] = '\n';
            if (isChunked(form)) {
                frame[at++] = '\r';
                frame[at] = '\n';
            }
            return frame;
        }
    }
}
