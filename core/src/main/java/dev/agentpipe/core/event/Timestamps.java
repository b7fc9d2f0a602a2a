package dev.agentpipe.core.event;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.Month;
import java.time.Year;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * ISO-8601 date-times with a zone, as microseconds since the epoch (the resolution of {@code timestamptz}).
 *
 * <p>By hand, because java.time refuses what clients may send (offsets beyond 18 hours, second 60) and costs several
 * microseconds. Accepted: {@code T} or {@code t}; seconds may be missing; a fraction of any length after {@code .} or
 * {@code ,}; {@code Z}, {@code z}, {@code ±hh}, {@code ±hhmm} or {@code ±hh:mm} up to 23:59. Second 60 is the next
 * minute's second 0, as PostgreSQL reads it. The instant must lie in the years 0000 to 9999 of UTC.
 */
final class Timestamps {

    /** What to tell who sent a text that is none. */
    static final String EXPECTED = "Expected an ISO-8601 date and time with a zone, such as 2026-01-31T12:00:00.5Z.";

    /** What {@link #epochMicros} gives for a text that is none. */
    static final long INVALID = Long.MIN_VALUE;

    static final long MICROS_PER_SECOND = 1_000_000;

    private static final long SECONDS_MIN = LocalDate.of(0, 1, 1).atStartOfDay().toEpochSecond(ZoneOffset.UTC);
    private static final long SECONDS_MAX =
            LocalDate.of(10_000, 1, 1).atStartOfDay().toEpochSecond(ZoneOffset.UTC) - 1;
    private static final int FRACTION_DIGITS_USED = 6;
    private static final DateTimeFormatter UTC_MICROS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT);

    private final String text;
    private int at;
    private boolean bad;

    private Timestamps(String text) {
        this.text = text;
    }

    /** Finer fractions are cut off: towards the past, before 1970 too. */
    static long epochMicros(String text) {
        return new Timestamps(text).parse();
    }

    static long epochMicros(Instant instant) {
        return instant.getEpochSecond() * MICROS_PER_SECOND + instant.getNano() / 1_000;
    }

    /** As in {@code 2026-11-22T14:34:21.205860Z}. */
    static String format(long epochMicros) {
        long second = Math.floorDiv(epochMicros, MICROS_PER_SECOND);
        int nano = (int) Math.floorMod(epochMicros, MICROS_PER_SECOND) * 1_000;
        return UTC_MICROS.format(LocalDateTime.ofEpochSecond(second, nano, ZoneOffset.UTC));
    }

    private long parse() {
        int year = digits(4, 0, 9_999);
        expect('-');
        int month = digits(2, 1, 12);
        expect('-');
        int day = digits(2, 1, 31);
        if (!take('T') && !take('t')) {
            bad = true;
        }
        int hour = digits(2, 0, 23);
        expect(':');
        int minute = digits(2, 0, 59);
        int second = take(':') ? digits(2, 0, 60) : 0;
        int micros = take('.') || take(',') ? fraction() : 0;
        int offsetMinutes = offset();
        if (bad || at != text.length() || day > Month.of(month).length(Year.isLeap(year))) {
            return INVALID;
        }
        long epochDay = LocalDate.of(year, month, day).toEpochDay();
        long seconds = ((epochDay * 24 + hour) * 60 + minute - offsetMinutes) * 60 + second;
        if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
            return INVALID;
        }
        return seconds * MICROS_PER_SECOND + micros;
    }

    private int digits(int count, int least, int most) {
        int value = 0;
        for (int i = 0; i < count; i++) {
            int digit = digit();
            bad |= digit < 0;
            value = value * 10 + digit;
        }
        bad |= value < least || value > most;
        return value;
    }

    private int fraction() {
        int value = 0;
        int count = 0;
        for (int digit = digit(); digit >= 0; digit = digit()) {
            if (count < FRACTION_DIGITS_USED) {
                value = value * 10 + digit;
            }
            count++;
        }
        bad |= count == 0;
        for (int i = count; i < FRACTION_DIGITS_USED; i++) {
            value *= 10;
        }
        return value;
    }

    private int offset() {
        if (take('Z') || take('z')) {
            return 0;
        }
        boolean west = take('-');
        if (!west) {
            expect('+');
        }
        int hours = digits(2, 0, 23);
        int minutes = take(':') || at < text.length() ? digits(2, 0, 59) : 0;
        return west ? -(hours * 60 + minutes) : hours * 60 + minutes;
    }

    /** The next character's value, which is then consumed; -1 if it is no digit. */
    private int digit() {
        int digit = at < text.length() ? text.charAt(at) - '0' : -1;
        if (digit < 0 || digit > 9) {
            return -1;
        }
        at++;
        return digit;
    }

    private boolean take(char c) {
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void expect(char c) {
        bad |= !take(c);
    }
}
