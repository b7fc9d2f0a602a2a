package dev.agentpipe.server.logs;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/** The levels of Logback's loggers. Not loaded before it is known that Logback is what is there. */
final class LogbackLevels {

    private LogbackLevels() {}

    private static LoggerContext context() {
        return (LoggerContext) LoggerFactory.getILoggerFactory();
    }

    /** Whether anything has logged by this name, or by one below it. */
    static boolean exists(String logger) {
        return context().exists(logger) != null;
    }

    /** Its own; null if it has that of the logger above it. */
    static String own(String logger) {
        Level level = context().getLogger(logger).getLevel();
        return level == null ? null : level.toString();
    }

    static String effective(String logger) {
        return context().getLogger(logger).getEffectiveLevel().toString();
    }

    /** @param level null for that of the logger above it */
    static void set(String logger, String level) {
        Logger changed = context().getLogger(logger);
        changed.setLevel(level == null ? null : Level.valueOf(level));
    }
}
