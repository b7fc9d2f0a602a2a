package dev.agentpipe.server.logs;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes levels while the process runs, each for a time: what was turned up at night is not forgotten. Loggers of this program
 * and of the connection pool alone: other libraries log rows and URLs, so what somebody said, or a key.
 *
 * <p>Thread-safe.
 */
public final class LogLevels {

    public static final String ALL = "dev.agentpipe";
    public static final Duration FOR_DEFAULT = Duration.ofMinutes(15);
    public static final Duration FOR_MAX = Duration.ofHours(12);

    /** How often {@link #expire} is to be called. */
    public static final Duration EXPIRE = Duration.ofSeconds(1);

    /** In the order from all to little. */
    public static final List<String> LEVELS = List.of("trace", "debug", "info", "warn", "error");

    private static final Pattern OURS =
            Pattern.compile("(?:dev\\.agentpipe|com\\.zaxxer\\.hikari)(?:\\.[\\w$]+){0,10}");
    private static final int NAME_CHARS_MAX = 200;
    private static final int CHANGES_MAX = 20;
    private static final String LOGBACK = "ch.qos.logback.classic.LoggerContext";

    private static final Logger log = LoggerFactory.getLogger(LogLevels.class);

    private final Clock clock;
    private final boolean areChangeable;

    // Guarded by itself.
    private final Map<String, Kept> changed = new LinkedHashMap<>();

    /** @param before null for that of the logger above it */
    private record Kept(String before, Change change) {}

    /** @param level in lower case, as all levels here */
    public record Change(String logger, String level, Instant until) {}

    public LogLevels(Clock clock) {
        this(clock, LoggerFactory.getILoggerFactory());
    }

    public LogLevels(Clock clock, ILoggerFactory binding) {
        this.clock = clock;
        this.areChangeable = binding.getClass().getName().equals(LOGBACK);
    }

    /** Whether levels can be changed: an embedder may log by something else than Logback. */
    public boolean areChangeable() {
        return areChangeable;
    }

    /** Why this logger's level cannot be changed; null if it can. */
    public String problem(String logger) {
        if (logger.length() > NAME_CHARS_MAX || !OURS.matcher(logger).matches()) {
            return "dev.agentpipe or com.zaxxer.hikari, or a logger below one of them; other libraries log what somebody said";
        }
        if (!LogbackLevels.exists(logger)) {
            return "a logger that there is: the one of a line is its member \"logger\"";
        }
        synchronized (changed) {
            return changed.size() < CHANGES_MAX || changed.containsKey(logger)
                    ? null
                    : "one of the " + CHANGES_MAX + " that are changed already";
        }
    }

    /**
     * Sets a level for a time; a change that is there already is replaced.
     *
     * @param logger without a {@link #problem}
     */
    public Change set(String logger, String level, Duration time) {
        Change change = new Change(logger, level, clock.instant().plus(time).truncatedTo(ChronoUnit.SECONDS));
        synchronized (changed) {
            Kept kept = changed.get(logger);
            changed.put(logger, new Kept(kept == null ? LogbackLevels.own(logger) : kept.before, change));
            LogbackLevels.set(logger, level.toUpperCase(Locale.ROOT));
        }
        return change;
    }

    /** That of this program where nothing else is said. */
    public String level() {
        return LogbackLevels.effective(ALL).toLowerCase(Locale.ROOT);
    }

    public List<Change> changes() {
        synchronized (changed) {
            return changed.values().stream().map(Kept::change).toList();
        }
    }

    /** Takes back what has lasted for its time. */
    public void expire() {
        synchronized (changed) {
            if (!changed.isEmpty()) {
                Instant now = clock.instant();
                takeBack(changed.values().stream()
                        .filter(kept -> !kept.change.until.isAfter(now))
                        .toList());
            }
        }
    }

    /** Takes everything back. */
    public void reset() {
        synchronized (changed) {
            takeBack(new ArrayList<>(changed.values()));
        }
    }

    private void takeBack(List<Kept> some) {
        for (Kept kept : some) {
            LogbackLevels.set(kept.change.logger, kept.before);
            changed.remove(kept.change.logger);
            log.info(
                    "The log level of {} is {} again",
                    kept.change.logger,
                    LogbackLevels.effective(kept.change.logger).toLowerCase(Locale.ROOT));
        }
    }
}
