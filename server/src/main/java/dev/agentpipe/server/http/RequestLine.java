package dev.agentpipe.server.http;

import dev.agentpipe.server.logs.LogFields;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.SerializableString;
import tools.jackson.core.io.SerializedString;

/**
 * What is told of a request. Names of members and their order are documented in docs/logs.md.
 *
 * @param route the template of its URL, such as {@code /api/conversations/{id}}; null if there is none
 * @param micros from its head to the end of its answer
 * @param bytesIn of its body; -1 if that is not known
 * @param bytesOut of the answer's body; -1 if that is not known
 * @param code of the problem that was its answer; null for none
 * @param keyId how its key is named; null if it has shown none
 * @param conversationId null unless it is about exactly one
 * @param ended of a stream, whose line is written at its end; null for any other
 */
record RequestLine(
        String requestId,
        String method,
        String route,
        int status,
        long micros,
        long bytesIn,
        long bytesOut,
        String code,
        String keyId,
        String conversationId,
        String address,
        Ended ended)
        implements LogFields {

    /**
     * @param reason in lower case
     * @param events that the reader was sent
     */
    record Ended(String reason, long events) {}

    private static final SerializableString REQUEST_ID = new SerializedString("requestId");
    private static final SerializableString METHOD = new SerializedString("method");
    private static final SerializableString ROUTE = new SerializedString("route");
    private static final SerializableString STATUS = new SerializedString("status");
    private static final SerializableString DURATION_MS = new SerializedString("durationMs");
    private static final SerializableString BYTES_IN = new SerializedString("bytesIn");
    private static final SerializableString BYTES_OUT = new SerializedString("bytesOut");
    private static final SerializableString CODE = new SerializedString("code");
    private static final SerializableString KEY_ID = new SerializedString("keyId");
    private static final SerializableString CONVERSATION_ID = new SerializedString("conversationId");
    private static final SerializableString ADDRESS = new SerializedString("address");
    private static final SerializableString REASON = new SerializedString("reason");
    private static final SerializableString EVENTS = new SerializedString("events");

    @Override
    public void writeTo(JsonGenerator json) {
        write(json, REQUEST_ID, requestId);
        write(json, METHOD, method);
        write(json, ROUTE, route);
        json.writeName(STATUS).writeNumber(status);
        json.writeName(DURATION_MS).writeNumber(millis());
        if (bytesIn >= 0) {
            json.writeName(BYTES_IN).writeNumber(bytesIn);
        }
        if (bytesOut >= 0) {
            json.writeName(BYTES_OUT).writeNumber(bytesOut);
        }
        write(json, CODE, code);
        write(json, KEY_ID, keyId);
        write(json, CONVERSATION_ID, conversationId);
        write(json, ADDRESS, address);
        if (ended != null) {
            write(json, REASON, ended.reason());
            json.writeName(EVENTS).writeNumber(ended.events());
        }
    }

    private static void write(JsonGenerator json, SerializableString name, String value) {
        if (value != null) {
            json.writeName(name).writeString(value);
        }
    }

    /** With three places. Not a double, whose digits Java 17 takes its time to find. */
    private String millis() {
        long rest = micros % 1_000;
        String zeros = rest >= 100 ? "." : rest >= 10 ? ".0" : ".00";
        return micros / 1_000 + zeros + rest;
    }

    @Override
    public String message() {
        String what = method + ' ' + (route == null ? RequestFacts.NO_ROUTE : route) + ' ' + status;
        return ended == null ? what : what + " ended: " + ended.reason();
    }

    /** All of it but the id, which text has in front of every line of a request. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(200).append(message());
        text.append(", ").append(millis()).append(" ms");
        if (bytesIn > 0) {
            text.append(", ").append(bytesIn).append(" bytes in");
        }
        if (bytesOut > 0) {
            text.append(", ").append(bytesOut).append(" bytes out");
        }
        if (ended != null) {
            text.append(", ").append(ended.events()).append(" events");
        }
        add(text, "", code);
        add(text, "key ", keyId);
        add(text, "conversation ", conversationId);
        add(text, "from ", address);
        return text.toString();
    }

    private static void add(StringBuilder text, String name, String value) {
        if (value != null) {
            text.append(", ").append(name).append(value);
        }
    }
}
