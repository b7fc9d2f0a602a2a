package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Violation;
import io.undertow.server.HttpServerExchange;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The parameters of a URL's query. Nothing is repaired: what cannot be used is collected, and {@link #check} refuses the
 * request with all of it. Names that nobody asks for are ignored; an empty value counts as absent. Where several names are
 * given for one parameter, the first one that is present counts. Not thread-safe.
 */
public final class QueryParameters {

    /** Of text that is no instant. */
    public static final String INSTANT_EXPECTED =
            "a date such as 2026-01-31, or with a time and a zone, such as 2026-01-31T12:00:00Z";

    private static final int YEAR_MIN = 1;
    private static final int YEAR_MAX = 9_999;

    private final Map<String, Deque<String>> query;
    private final List<Violation> violations = new ArrayList<>();

    QueryParameters(Map<String, Deque<String>> query) {
        this.query = query;
    }

    public static QueryParameters of(HttpServerExchange exchange) {
        return new QueryParameters(exchange.getQueryParameters());
    }

    public void violation(String name, String detail) {
        violations.add(new Violation(name, detail));
    }

    /** @throws BadRequest if anything was wrong with what was asked for so far */
    public void check() {
        if (!violations.isEmpty()) {
            throw new BadRequest(violations);
        }
    }

    public int integer(String name, int otherwise, int min, int max) {
        return integer(List.of(name), otherwise, min, max);
    }

    public int integer(List<String> names, int otherwise, int min, int max) {
        String name = present(names);
        String value = value(name);
        if (value == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        violation(name, "a whole number from " + min + " to " + max);
        return otherwise;
    }

    public Optional<String> text(String name, int charsMax) {
        return text(List.of(name), charsMax);
    }

    public Optional<String> text(List<String> names, int charsMax) {
        String name = present(names);
        String value = value(name);
        if (value != null && isUnstorable(name, value, charsMax)) {
            return Optional.empty();
        }
        return Optional.ofNullable(value);
    }

    /** @param choices what may be written, and what it stands for, in the order in which an error lists them */
    public <T> T choice(String name, Map<String, T> choices, T otherwise) {
        return choice(List.of(name), choices, otherwise);
    }

    public <T> T choice(List<String> names, Map<String, T> choices, T otherwise) {
        String name = present(names);
        String value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (!choices.containsKey(value)) {
            violation(name, "one of " + String.join(", ", choices.keySet()));
            return otherwise;
        }
        return choices.get(value);
    }

    public boolean flag(String name, boolean otherwise) {
        return choice(name, Map.of("true", true, "false", false), otherwise);
    }

    /** Values of a parameter that may be repeated, or hold several with commas between them; without empty ones. */
    public List<String> list(String name, int countMax, int charsMax) {
        List<String> values = new ArrayList<>();
        for (String parameter : query.getOrDefault(name, new ArrayDeque<>())) {
            for (String value : parameter.split(",")) {
                if (!value.isBlank()) {
                    values.add(value.strip());
                }
            }
        }
        if (values.size() > countMax) {
            violation(name, "at most " + countMax + " values");
            return List.of();
        }
        for (String value : values) {
            if (isUnstorable(name, value, charsMax)) {
                return List.of();
            }
        }
        return values;
    }

    /** A date and time with a zone, or a date alone, which is its first moment in UTC. */
    public Optional<Instant> instant(String name) {
        return instant(name, 0);
    }

    /** The same as an inclusive end: a date alone is the last microsecond of its day in UTC. */
    public Optional<Instant> endInstant(String name) {
        return instant(name, 1);
    }

    private Optional<Instant> instant(String name, int daysLater) {
        String value = value(name);
        if (value == null) {
            return Optional.empty();
        }
        Optional<Instant> instant = instantOf(value, daysLater > 0);
        if (instant.isEmpty()) {
            violation(name, INSTANT_EXPECTED);
        }
        return instant;
    }

    /** What {@link #instant(String)} takes, or as {@link #endInstant} does; empty for anything else. */
    public static Optional<Instant> instantOf(String value, boolean isEnd) {
        int daysLater = isEnd ? 1 : 0;
        try {
            // The plus of an offset is a space in a query that was not encoded.
            Instant instant = value.length() > "2026-01-31".length()
                    ? OffsetDateTime.parse(value.replace(' ', '+')).toInstant()
                    : LocalDate.parse(value)
                            .plusDays(daysLater)
                            .atStartOfDay(ZoneOffset.UTC)
                            .toInstant()
                            .minusNanos(1_000L * daysLater);
            int year = instant.atOffset(ZoneOffset.UTC).getYear();
            if (year >= YEAR_MIN && year <= YEAR_MAX) {
                return Optional.of(instant);
            }
        } catch (DateTimeException e) {
            // Told below.
        }
        return Optional.empty();
    }

    private String present(List<String> names) {
        return names.stream().filter(name -> value(name) != null).findFirst().orElse(names.get(0));
    }

    private String value(String name) {
        Deque<String> values = query.get(name);
        if (values == null || values.getFirst().isBlank()) {
            return null;
        }
        return values.getFirst().strip();
    }

    /** PostgreSQL knows no U+0000, so nothing that is stored can be equal to it; a lone surrogate is no character. */
    private boolean isUnstorable(String name, String value, int charsMax) {
        if (value.length() > charsMax) {
            violation(name, "at most " + charsMax + " characters");
            return true;
        }
        if (value.codePoints().anyMatch(c -> c == 0 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            violation(name, "text without U+0000 and lone surrogates");
            return true;
        }
        return false;
    }
}
