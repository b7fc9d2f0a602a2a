package dev.agentpipe.server;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Typed access to the environment that notes every problem and goes on, so that all are told at once. A value that is
 * refused counts as absent afterwards. An empty value counts as absent from the start: container tools cannot leave out a
 * variable. One thread at a time.
 */
final class EnvironmentVariables {

    private static final int SHOWN_CHARS_MAX = 40;
    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,10})([smhd]?)");
    private static final Map<String, ChronoUnit> UNITS = Map.of(
            "", ChronoUnit.SECONDS,
            "s", ChronoUnit.SECONDS,
            "m", ChronoUnit.MINUTES,
            "h", ChronoUnit.HOURS,
            "d", ChronoUnit.DAYS);

    private final Map<String, String> variables;
    private final List<String> problems = new ArrayList<>();

    EnvironmentVariables(Map<String, String> variables) {
        this.variables = variables;
    }

    boolean isSet(String name) {
        return text(name).isPresent();
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(variables.get(name)).map(String::strip).filter(value -> !value.isEmpty());
    }

    OptionalInt integer(String name, int min, int max) {
        return parsed(name, "a whole number from " + min + " to " + max, value -> {
                    if (!value.matches("\\d{1,10}")) {
                        return null;
                    }
                    long number = Long.parseLong(value);
                    return number < min || number > max ? null : (int) number;
                })
                .stream()
                .mapToInt(number -> number)
                .findFirst();
    }

    /** A whole number of this unit. */
    Optional<Duration> duration(String name, ChronoUnit unit, int min, int max) {
        OptionalInt number = integer(name, min, max);
        return number.isPresent() ? Optional.of(Duration.of(number.getAsInt(), unit)) : Optional.empty();
    }

    /** {@code 86400} (seconds), {@code 90s}, {@code 30m}, {@code 24h}, {@code 7d}, or ISO-8601 such as {@code PT24H}. */
    Optional<Duration> freeDuration(String name, Duration min, Duration max) {
        String allowed = "seconds, or a number with s, m, h or d, such as 24h, or an ISO-8601 duration, such as PT24H, "
                + "from " + min.toSeconds() + " to " + max.toSeconds() + " seconds";
        return parsed(name, allowed, value -> {
            Duration duration = durationOf(value);
            return duration == null || duration.compareTo(min) < 0 || duration.compareTo(max) > 0 ? null : duration;
        });
    }

    /** One of the constants' names in lower case; upper case is taken as well. */
    <E extends Enum<E>> Optional<E> choice(String name, Class<E> type) {
        List<E> constants = Arrays.asList(type.getEnumConstants());
        String allowed = "one of "
                + String.join(
                        ", ",
                        constants.stream().map(EnvironmentVariables::label).toList());
        return parsed(
                name,
                allowed,
                value -> constants.stream()
                        .filter(constant -> label(constant).equals(value.toLowerCase(Locale.ROOT)))
                        .findFirst()
                        .orElse(null));
    }

    /** @param parser gives null, or throws an IllegalArgumentException, for what is not allowed */
    <T> Optional<T> parsed(String name, String allowed, Function<String, T> parser) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        T value = parsedOrNull(text.get(), parser);
        if (value == null) {
            problem(name, "is %s, allowed is %s".formatted(shown(text.get()), allowed));
        }
        return Optional.ofNullable(value);
    }

    /**
     * Values with commas between them. A problem names a value by its number alone.
     *
     * @param problemOf what is wrong with a value, null if nothing is
     */
    <T> List<T> list(String name, String what, Function<String, String> problemOf, Function<String, T> of) {
        String[] values = text(name).map(text -> text.split(",", -1)).orElse(new String[0]);
        List<T> list = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            String value = values[i].strip();
            String problem = value.isEmpty() ? "is empty: there is a comma too many" : problemOf.apply(value);
            if (problem == null) {
                list.add(of.apply(value));
            } else {
                problem(name, "(%s %d of %d) %s".formatted(what, i + 1, values.length, problem));
            }
        }
        return list;
    }

    void problem(String name, String what) {
        problems.add(name + " " + what);
    }

    List<String> problems() {
        return List.copyOf(problems);
    }

    private static <T> T parsedOrNull(String text, Function<String, T> parser) {
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException notAllowed) {
            return null;
        }
    }

    private static Duration durationOf(String value) {
        Matcher matcher = NUMBER_AND_UNIT.matcher(value);
        if (matcher.matches()) {
            return Duration.of(Long.parseLong(matcher.group(1)), UNITS.get(matcher.group(2)));
        }
        try {
            return Duration.parse(value);
        } catch (DateTimeParseException neither) {
            return null;
        }
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Cut and without control characters, so that a problem stays one line. */
    private static String shown(String value) {
        String cut = value.length() <= SHOWN_CHARS_MAX ? value : value.substring(0, SHOWN_CHARS_MAX) + "…";
        return '"' + cut.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
