package dev.agentpipe.core.event;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes that readers get: the event's own slice of the body, with at most two edits. Never written anew from parsed
 * values: what the client wrote (number formats, escapes, order, unknown members) would not survive that, and a copy is
 * much faster.
 */
final class Payload {

    private Payload() {}

    static byte[] of(byte[] body, RawEvent event, EventType type, long atMicros) {
        Edit command = type == EventType.CONVERSATION_STARTED && event.commandFrom >= 0 ? commandOf(body, event) : null;
        Edit timestamp = event.timestamp == null ? timestampOf(event, atMicros) : null;
        byte[] payload;
        if (command == null && timestamp == null) {
            payload = Arrays.copyOfRange(body, event.from, event.to);
        } else if (timestamp == null) {
            payload = edited(body, event, command);
        } else if (command == null) {
            payload = edited(body, event, timestamp);
        } else {
            payload = command.from < timestamp.from
                    ? edited(body, event, command, timestamp)
                    : edited(body, event, timestamp, command);
        }
        return onOneLine(payload);
    }

    /** Bytes of the body to be replaced. */
    private record Edit(int from, int to, byte[] by) {}

    /** The member goes with one of its commas: that before it, or if it is the first, that after it. */
    private static Edit commandOf(byte[] body, RawEvent event) {
        int before = event.commandFrom - 1;
        while (isWhitespace(body[before])) {
            before--;
        }
        if (body[before] == ',') {
            return new Edit(before, event.commandTo, new byte[0]);
        }
        int after = event.commandTo;
        while (isWhitespace(body[after])) {
            after++;
        }
        return new Edit(event.commandFrom, body[after] == ',' ? after + 1 : event.commandTo, new byte[0]);
    }

    /** In the place of its null, or after the type: every event has one. */
    private static Edit timestampOf(RawEvent event, long atMicros) {
        String text = '"' + Timestamps.format(atMicros) + '"';
        if (event.timestampNullFrom >= 0) {
            int to = event.timestampNullFrom + "null".length();
            return new Edit(event.timestampNullFrom, to, ascii(text));
        }
        return new Edit(event.typeTo, event.typeTo, ascii(",\"timestamp\":" + text));
    }

    private static byte[] edited(byte[] body, RawEvent event, Edit... inOrder) {
        int length = event.to - event.from;
        for (Edit edit : inOrder) {
            length += edit.by.length - (edit.to - edit.from);
        }
        byte[] result = new byte[length];
        int written = 0;
        int read = event.from;
        for (Edit edit : inOrder) {
            System.arraycopy(body, read, result, written, edit.from - read);
            written += edit.from - read;
            System.arraycopy(edit.by, 0, result, written, edit.by.length);
            written += edit.by.length;
            read = edit.to;
        }
        System.arraycopy(body, read, result, written, event.to - read);
        return result;
    }

    /** In valid JSON a raw line break stands between two tokens, never inside a string. In a stream it would end a field. */
    private static byte[] onOneLine(byte[] json) {
        for (int i = 0; i < json.length; i++) {
            if (json[i] == '\n' || json[i] == '\r') {
                json[i] = ' ';
            }
        }
        return json;
    }

    private static boolean isWhitespace(byte b) {
        return b == ' ' || b == '\t' || b == '\n' || b == '\r';
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
