package dev.agentpipe.core.event;

import java.util.List;

/**
 * What one JSON object holds under the names of {@link Field}, unchecked: which of them mean something depends on the
 * event's type, and that may come last.
 *
 * <p>A value is null (absent, or JSON null), a {@link String}, a {@link Boolean}, a {@link Long} (an integer that fits
 * easily), a {@link LongNumber} (any other number) or a {@link Nested}.
 */
final class Members {

    private final Object[] values = new Object[Field.COUNT];

    Object get(Field field) {
        return values[field.ordinal()];
    }

    void put(Field field, Object value) {
        values[field.ordinal()] = value;
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
}
