package dev.agentpipe.server.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.encoder.Encoder;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.logs.AsyncLog;
import dev.agentpipe.server.logs.JsonLines;
import dev.agentpipe.server.logs.SentryReports;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/**
 * Logging by the settings, in code: an XML file would read the environment a second time, and cost a tenth of a second of
 * every start. Text goes to standard error, so that the banner on standard output stays clean; JSON goes to standard
 * output, where container platforms collect it, and nothing else does.
 */
final class LogSetup {

    /**
     * A line stays a line, whatever a message holds, and says nothing to a terminal (controls, changes of direction). What
     * a thrown exception says is indented from its second line on, so that none of it looks like a line of its own.
     */
    private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSS'Z',UTC} %-5level [%thread] %logger{0}"
            + "%replace( %X{requestId}){'^ $',''}: "
            + "%replace(%replace(%msg){'[\\r\\n]+',' | '}){'[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]','?'}%n"
            + "%replace(%replace(%ex){'[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}&&[^\\n\\t]]','?'}){'\\n(?=[^\\n\\t])','\n  '}";

    /** Strong, since java.util.logging forgets the level of a logger that nobody holds. */
    private static final Logger DRIVER = Logger.getLogger("org.postgresql");

    /** What an end may be late by, while nobody takes the last lines. */
    private static final Duration FLUSH = Duration.ofMillis(500);

    private LogSetup() {}

    /** For a command that ends soon: a line is out before the call returns. */
    static void apply(Settings.Logging logging) {
        quietDriver();
        apply(logging, (LoggerContext) LoggerFactory.getILoggerFactory());
    }

    static void apply(Settings.Logging logging, LoggerContext context) {
        setUp(logging, context, LogSetup::console, LogSetup::file);
    }

    /**
     * For the server: who logs never waits.
     *
     * @return what writes the lines that still wait, before the process ends
     */
    static Runnable serve(Settings settings) {
        quietDriver();
        LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
        Settings.Logging logging = settings.logging();
        List<AsyncLog> logs = new ArrayList<>();
        setUp(
                logging,
                context,
                (encoder, isOut) ->
                        add(logs, encoder, new FileOutputStream(isOut ? FileDescriptor.out : FileDescriptor.err)),
                (encoder, path) -> add(logs, encoder, new FileOutputStream(path.toFile(), true)));
        SLF4JBridgeHandler.removeHandlersForRootLogger(); // they write text to standard error
        SLF4JBridgeHandler.install();
        Thread.setDefaultUncaughtExceptionHandler((thread, e) ->
                LoggerFactory.getLogger(LogSetup.class).error("The thread {} ended by a fault", thread.getName(), e));
        Runnable reports = logging.sentryDsn()
                .map(dsn -> {
                    SentryReports sentry =
                            new SentryReports(dsn, settings.environment().label(), Version.current());
                    context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(started(sentry, context));
                    return (Runnable) sentry::flush;
                })
                .orElse(() -> {});
        return () -> {
            reports.run();
            logs.forEach(log -> log.flush(FLUSH));
        };
    }

    private static AsyncLog add(List<AsyncLog> logs, Encoder<ILoggingEvent> encoder, OutputStream out) {
        AsyncLog log = new AsyncLog(encoder, out);
        logs.add(log);
        return log;
    }

    private static void quietDriver() {
        // The driver throws what it logs, and its way around slf4j would put lines of another format among ours.
        DRIVER.setLevel(java.util.logging.Level.OFF);
    }

    private interface Console {
        Appender<ILoggingEvent> of(Encoder<ILoggingEvent> encoder, boolean isOut);
    }

    private interface File {
        Appender<ILoggingEvent> of(Encoder<ILoggingEvent> encoder, Path path) throws IOException;
    }

    private static void setUp(Settings.Logging logging, LoggerContext context, Console console, File file) {
        context.reset();
        boolean json = logging.format() == LogFormat.JSON;
        ch.qos.logback.classic.Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(
                started(console.of(json ? JsonLines.encoder(context) : encoder(context, PATTERN), json), context));
        root.setLevel(libraries(logging.level()));
        // It warns of PostgreSQL 14, which its open source edition does not name any more and our tests do; and in its
        // lower levels it logs the rows, which is what somebody said.
        context.getLogger("org.jooq").setLevel(Level.ERROR);
        if (logging.level() == LogLevel.TRACE) {
            context.getLogger("io.undertow").setLevel(Level.INFO); // it logs URLs, and somebody may put a key into one
        }
        context.getLogger("dev.agentpipe")
                .setLevel(Level.valueOf(logging.level().name()));
        ch.qos.logback.classic.Logger audit = context.getLogger(Audit.LOGGER);
        audit.setLevel(Level.INFO); // whatever the level of the others
        logging.audit().ifPresent(path -> {
            audit.setAdditive(false);
            audit.addAppender(started(auditFile(path, context, file), context));
        });
    }

    private static Appender<ILoggingEvent> started(Appender<ILoggingEvent> appender, LoggerContext context) {
        appender.setContext(context);
        appender.start();
        return appender;
    }

    private static Appender<ILoggingEvent> console(Encoder<ILoggingEvent> encoder, boolean isOut) {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setTarget(isOut ? "System.out" : "System.err");
        console.setEncoder(encoder);
        return console;
    }

    private static Appender<ILoggingEvent> file(Encoder<ILoggingEvent> encoder, Path path) {
        FileAppender<ILoggingEvent> file = new FileAppender<>();
        file.setFile(path.toString());
        file.setEncoder(encoder);
        return file;
    }

    /** For its owner alone. It only ever grows: whoever rotates it copies and truncates. */
    private static Appender<ILoggingEvent> auditFile(Path path, LoggerContext context, File file) {
        try {
            if (!Files.exists(path)) {
                Files.createDirectories(path.toAbsolutePath().getParent());
                Files.createFile(path);
                PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
                if (view != null) {
                    view.setPermissions(PosixFilePermissions.fromString("rw-------"));
                }
            }
            if (!Files.isRegularFile(path) || !Files.isWritable(path)) {
                throw new StartException("AUDIT_LOG: " + path + " is no file that can be written");
            }
            return file.of(encoder(context, "%msg%n"), path);
        } catch (IOException e) {
            throw new StartException("AUDIT_LOG: the file " + path + " cannot be written: " + e.getMessage(), e);
        }
    }

    /** Libraries speak of trouble alone, unless everything is asked for. */
    private static Level libraries(LogLevel level) {
        return switch (level) {
            case TRACE -> Level.TRACE;
            case DEBUG, INFO, WARN -> Level.WARN;
            case ERROR -> Level.ERROR;
        };
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, String pattern) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setPattern(pattern);
        encoder.start();
        return encoder;
    }
}
