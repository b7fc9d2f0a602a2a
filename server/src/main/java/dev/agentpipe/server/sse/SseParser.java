package dev.agentpipe.server.sse;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Bytes to events, as the HTML standard has it (section 9.2.6, "Interpreting an event stream"), however the bytes are split.
 * One thread at a time.
 */
final class SseParser {

    private static final String BYTE_ORDER_MARK = "\ufeff";

    private final Consumer<SseEvent> events;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /** A CR has ended a line; an LF that follows belongs to it. */
    private boolean afterCarriageReturn;

    private boolean firstLine = true;
    private String lastEventId = "";
    private String type = "";
    private StringBuilder data;

    SseParser(Consumer<SseEvent> events) {
        this.events = events;
    }

    void feed(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            byte b = bytes.get();
            if (b == '\n' && afterCarriageReturn) {
                afterCarriageReturn = false;
            } else if (b == '\n' || b == '\r') {
                afterCarriageReturn = b == '\r';
                endLine();
            } else {
                afterCarriageReturn = false;
                line.write(b);
            }
        }
    }

    private void endLine() {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (firstLine && text.startsWith(BYTE_ORDER_MARK)) {
            text = text.substring(1);
        }
        firstLine = false;
        if (text.isEmpty()) {
            dispatch();
        } else if (!text.startsWith(":")) {
            int colon = text.indexOf(':');
            String name = colon < 0 ? text : text.substring(0, colon);
            String value = colon < 0 ? "" : text.substring(colon + 1);
            field(name, value.startsWith(" ") ? value.substring(1) : value);
        }
    }

    private void field(String name, String value) {
        switch (name) {
            case "data" ->
                data = data == null
                        ? new StringBuilder(value)
                        : data.append('\n').append(value);
            case "event" -> type = value;
            case "id" -> lastEventId = value.indexOf('\0') < 0 ? value : lastEventId;
            default -> {
                // "retry" is for those who reconnect by themselves; the standard ignores what it does not know.
            }
        }
    }

    /** Without data there is no event, but an id of it counts for the next. */
    private void dispatch() {
        if (data != null) {
            events.accept(new SseEvent(lastEventId, type.isEmpty() ? "message" : type, data.toString()));
        }
        data = null;
        type = "";
    }
}
