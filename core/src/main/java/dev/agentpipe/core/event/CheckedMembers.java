package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Members.JsonObject;
import dev.agentpipe.core.event.Members.LongNumber;
import dev.agentpipe.core.event.Members.Nested;
import java.math.BigDecimal;

/**
 * The members of one object by the type they should have. What does not fit is noted as a violation and given as null,
 * so that the caller goes on and finds the next one.
 */
final class CheckedMembers {

    /**
     * Fraction digits of a decimal. The smallest number of a Go client, 4.9406564584124654e-324, has 340; PostgreSQL
     * would take 16,383, but nobody needs them, and each one is stored.
     */
    static final int DECIMAL_SCALE_MAX = 400;

    /** Digits before the point: decimals are below 1e15. */
    static final int DECIMAL_WHOLE_DIGITS_MAX = 15;

    /** Longest text of a decimal; converting costs the square of it. */
    private static final int DECIMAL_CHARS_MAX = DECIMAL_SCALE_MAX + DECIMAL_WHOLE_DIGITS_MAX + 10;

    /** Digits of 2^63 - 1, and a sign. */
    private static final int COUNT_CHARS_MAX = 20;

    private final Members members;
    private final String prefix;
    private final Violations violations;
    private final int idCharsMax;

    /** @param prefix JSON Pointer of the object, which ends in a slash */
    CheckedMembers(Members members, String prefix, Violations violations, int idCharsMax) {
        this.members = members;
        this.prefix = prefix;
        this.violations = violations;
        this.idCharsMax = idCharsMax;
    }

    boolean has(Field field) {
        return members.get(field) != null;
    }

    /** A string, maybe empty; null if there is none. */
    String text(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        return value instanceof String text ? ColumnText.of(text) : refuse(field, "Expected a string.");
    }

    String requiredText(Field field) {
        return has(field) ? text(field) : refuse(field, "Required: a string.");
    }

    String requiredWord(Field field) {
        String word = has(field) ? text(field) : refuse(field, "Required: a string that is not empty.");
        return "".equals(word) ? refuse(field, "Expected a string that is not empty.") : word;
    }

    String requiredId(Field field) {
        return bounded(field, requiredWord(field));
    }

    /** Clients send an empty identifier for none. */
    String id(Field field) {
        String id = bounded(field, text(field));
        return "".equals(id) ? null : id;
    }

    private String bounded(Field field, String id) {
        if (id == null || id.length() <= idCharsMax || id.codePointCount(0, id.length()) <= idCharsMax) {
            return id;
        }
        return refuse(field, "Expected at most " + idCharsMax + " characters.");
    }

    Long count(Field field) {
        Long count = integer(field);
        return count != null && count < 0 ? refuseCount(field) : count;
    }

    /** A count that clients may send as a negative number to say that there is none. */
    Long limit(Field field) {
        Long limit = integer(field);
        return limit != null && limit < 0 ? null : limit;
    }

    private Long integer(Field field) {
        Object value = members.get(field);
        if (value == null || value instanceof Long) {
            return (Long) value;
        }
        if (value instanceof LongNumber number
                && number.integer()
                && number.text().length() <= COUNT_CHARS_MAX) {
            try {
                return Long.valueOf(number.text());
            } catch (NumberFormatException e) {
                return refuseCount(field);
            }
        }
        return refuseCount(field);
    }

    private Long refuseCount(Field field) {
        return refuse(field, "Expected an integer from 0 to 9223372036854775807.");
    }

    /** A number, to its last digit; 0 or more, and of a size that {@code numeric} columns take. */
    BigDecimal decimal(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        BigDecimal decimal = null;
        if (value instanceof Long number) {
            decimal = BigDecimal.valueOf(number);
        } else if (value instanceof LongNumber number && number.text().length() <= DECIMAL_CHARS_MAX) {
            decimal = storable(number.text());
        }
        if (decimal == null || decimal.signum() < 0 || wholeDigits(decimal) > DECIMAL_WHOLE_DIGITS_MAX) {
            return refuse(
                    field,
                    "Expected a number, 0 or more and below 1e15, with at most " + DECIMAL_SCALE_MAX
                            + " fraction digits.");
        }
        return decimal;
    }

    /** With a scale from 0 to the limit; null if it cannot have one. The exponent may be any: nothing here expands it. */
    private static BigDecimal storable(String text) {
        BigDecimal decimal;
        try {
            decimal = new BigDecimal(text);
        } catch (NumberFormatException e) { // an exponent beyond an int
            return null;
        }
        if (decimal.scale() >= 0 && decimal.scale() <= DECIMAL_SCALE_MAX) {
            return decimal;
        }
        if (decimal.signum() == 0) {
            return BigDecimal.ZERO;
        }
        return decimal.scale() < 0 && wholeDigits(decimal) <= DECIMAL_WHOLE_DIGITS_MAX ? decimal.setScale(0) : null;
    }

    private static long wholeDigits(BigDecimal decimal) {
        return (long) decimal.precision() - decimal.scale();
    }

    Nested object(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        return value instanceof Nested nested && nested.isObject() ? nested : refuse(field, "Expected an object.");
    }

    Nested array(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        return value instanceof Nested nested && !nested.isObject() ? nested : refuse(field, "Expected an array.");
    }

    /** Text of an object that was read as such. */
    String json(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        return value instanceof JsonObject json ? json.text() : refuse(field, "Expected an object.");
    }

    /** Microseconds since the epoch. */
    Long time(Field field) {
        Object value = members.get(field);
        if (value == null) {
            return null;
        }
        long micros = value instanceof String text ? Timestamps.epochMicros(text) : Timestamps.INVALID;
        return micros == Timestamps.INVALID ? refuse(field, Timestamps.EXPECTED) : Long.valueOf(micros);
    }

    Long requiredTime(Field field) {
        return has(field) ? time(field) : refuse(field, "Required: an ISO-8601 date and time with a zone.");
    }

    /** Always null, of whatever type is wanted. */
    <T> T refuse(Field field, String detail) {
        violations.add(prefix + field.wireName(), detail);
        return null;
    }
}
