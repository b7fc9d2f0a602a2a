package dev.agentpipe.core.event;

import java.util.List;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What one JSON object holds under the names of {@link Field}, unchecked: which of them mean something depends on the
 * event's type, and that may come last.
 *
 * <p>A value is null (absent, or JSON null), a {@link String}, a {@link Boolean}, a {@link Long} (an integer that fits
 * easily), a {@link LongNumber} (any other number) or a {@link Nested}; of a session also a {@link JsonObject}.
 */
final class Members {

    /** Integers of at most so many characters are a long whatever their digits. */
    private static final int LONG_CHARS = 18;

    private final Object[] values = new Object[Field.COUNT];

    Object get(Field field) {
        return values[field.ordinal()];
    }

    void put(Field field, Object value) {
        values[field.ordinal()] = value;
    }

    /** The value of the parser's current token; null for null, and for an object or array, which this does not read. */
    static Object scalar(JsonParser parser, JsonToken token) {
        return switch (token) {
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT ->
                parser.getStringLength() <= LONG_CHARS
                        ? (Object) parser.getLongValue()
                        : new LongNumber(parser.getString(), true);
            case VALUE_NUMBER_FLOAT -> new LongNumber(parser.getString(), false);
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            default -> null;
        };
    }

    /** A number as text, since it may be any; {@code 1e999999999} costs as much as {@code 1} as long as it is text. */
    record LongNumber(String text, boolean integer) {}

    /**
     * An object or an array.
     *
     * @param from index of its first byte in the body
     * @param to index after its last byte
     * @param members of an object that was looked into, else null
     * @param elements of an array that was looked into, else null; an element that is not an object is null. One more
     *     than the limit at most.
     */
    record Nested(boolean isObject, int from, int to, Members members, List<Members> elements) {}

    /** An object that was read as text, since the bytes it came in are gone. */
    record JsonObject(String text) {}
}
