package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Members.Nested;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * An event as it was sent: taken apart in one pass over the tokens, with nothing checked but the syntax (and what the
 * parser checks of itself: duplicate keys, depth). Members may come in any order, {@code data} before {@code type} too,
 * so everything that some type could need is held until {@link EventBuilder} knows the type.
 */
final class RawEvent {

    private final JsonParser parser;
    private final int base;
    private final int participantsMax;

    /** The event's bytes in the body. */
    final int from;

    final int to;

    /** A value as in {@link Members}; {@code typeTo} is the index after it, if it is a string. */
    Object type;

    int typeTo;

    /** A value as in {@link Members}; {@code timestampNullFrom} is where a {@code null} stands in its place, or -1. */
    Object timestamp;

    int timestampNullFrom = -1;

    /** A value as in {@link Members}. */
    Object data;

    /** The whole member {@code command} of data, name and value; {@code from} is -1 if there is none. */
    int commandFrom = -1;

    int commandTo;

    /**
     * Reads on from the parser's current token, an event's opening brace, to its closing one.
     *
     * @param base index in the body of the parser's first byte
     */
    RawEvent(JsonParser parser, int base, int participantsMax) {
        this.parser = parser;
        this.base = base;
        this.participantsMax = participantsMax;
        from = tokenStart();
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            JsonToken token = parser.nextToken();
            switch (name) {
                case "type" -> readType(token);
                case "timestamp" -> readTimestamp(token);
                case "data" -> data = token == JsonToken.START_OBJECT ? readData() : value(token);
                default -> parser.skipChildren();
            }
        }
        to = position();
    }

    private void readType(JsonToken token) {
        type = value(token);
        if (token == JsonToken.VALUE_STRING) {
            typeTo = position();
        }
    }

    private void readTimestamp(JsonToken token) {
        timestamp = value(token);
        if (token == JsonToken.VALUE_NULL) {
            timestampNullFrom = tokenStart();
        }
    }

    private Nested readData() {
        int start = tokenStart();
        Members members = new Members();
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            Field field = Field.of(name);
            if (field == Field.COMMAND) {
                commandFrom = tokenStart();
            }
            JsonToken token = parser.nextToken();
            if (field == null) {
                parser.skipChildren();
            } else if (token == JsonToken.START_ARRAY && (field == Field.PARTICIPANTS || field == Field.AGENTS)) {
                members.put(field, readElements());
            } else if (token == JsonToken.START_OBJECT && field == Field.SUMMARY) {
                members.put(field, readObject());
            } else {
                members.put(field, value(token));
            }
            if (field == Field.COMMAND) {
                commandTo = position();
            }
        }
        return new Nested(true, start, position(), members, null);
    }

    private Nested readElements() {
        int start = tokenStart();
        List<Members> elements = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (elements.size() > participantsMax) {
                parser.skipChildren();
            } else if (token == JsonToken.START_OBJECT) {
                elements.add(readObject().members());
            } else {
                parser.skipChildren();
                elements.add(null);
            }
        }
        return new Nested(false, start, position(), null, elements);
    }

    private Nested readObject() {
        int start = tokenStart();
        Members members = new Members();
        for (String name = parser.nextName(); name != null; name = parser.nextName()) {
            Field field = Field.of(name);
            JsonToken token = parser.nextToken();
            if (field == null) {
                parser.skipChildren();
            } else {
                members.put(field, value(token));
            }
        }
        return new Nested(true, start, position(), members, null);
    }

    private Object value(JsonToken token) {
        return token == JsonToken.START_OBJECT || token == JsonToken.START_ARRAY
                ? skipNested(token == JsonToken.START_OBJECT)
                : Members.scalar(parser, token);
    }

    private Nested skipNested(boolean isObject) {
        int start = tokenStart();
        parser.skipChildren();
        return new Nested(isObject, start, position(), null, null);
    }

    private int tokenStart() {
        return base + (int) parser.currentTokenLocation().getByteOffset();
    }

    /** After a string this holds only once its text was asked for: until then the parser stands at its beginning. */
    private int position() {
        return base + (int) parser.currentLocation().getByteOffset();
    }
}
