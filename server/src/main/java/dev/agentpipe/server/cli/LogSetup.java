package dev.agentpipe.server.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.encoder.Encoder;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.audit.Audit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.logging.Logger;
import net.logstash.logback.encoder.LogstashEncoder;
import org.slf4j.LoggerFactory;

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

    private LogSetup() {}

    static void apply(Settings.Logging logging) {
        // The driver throws what it logs, and its way around slf4j would put lines of another format among ours.
        DRIVER.setLevel(java.util.logging.Level.OFF);
        apply(logging, (LoggerContext) LoggerFactory.getILoggerFactory());
    }

    static void apply(Settings.Logging logging, LoggerContext context) {
        context.reset();
        boolean json = logging.format() == LogFormat.JSON;
        Encoder<ILoggingEvent> encoder = json ? json(context) : text(context);
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setContext(context);
        console.setTarget(json ? "System.out" : "System.err");
        console.setEncoder(encoder);
        console.start();
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).addAppender(console);
        context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME).setLevel(libraries(logging.level()));
        // It warns of PostgreSQL 14, which its open source edition does not name any more and our tests do; and in its
        // lower
        // levels it logs the rows, which is what somebody said.
        context.getLogger("org.jooq").setLevel(Level.ERROR);
        if (logging.level() == LogLevel.TRACE) {
            context.getLogger("io.undertow").setLevel(Level.INFO); // it logs URLs, and somebody may put a key into one
        }
        context.getLogger("dev.agentpipe")
                .setLevel(Level.valueOf(logging.level().name()));
        setUpAudit(logging, context);
    }

    /** An object of JSON a line, whatever the level of the other logs; among lines of text it is the message of one. */
    private static void setUpAudit(Settings.Logging logging, LoggerContext context) {
        ch.qos.logback.classic.Logger audit = context.getLogger(Audit.LOGGER);
        audit.setLevel(Level.INFO);
        if (logging.audit().isPresent()) {
            audit.setAdditive(false);
            audit.addAppender(auditFile(logging.audit().get(), context));
        } else if (logging.format() == LogFormat.JSON) {
            ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
            console.setContext(context);
            console.setEncoder(encoder(context, "%msg%n"));
            console.start();
            audit.setAdditive(false);
            audit.addAppender(console);
        }
    }

    /** For its owner alone. It only ever grows: whoever rotates it copies and truncates. */
    private static FileAppender<ILoggingEvent> auditFile(Path path, LoggerContext context) {
        try {
            if (!Files.exists(path)) {
                Files.createDirectories(path.toAbsolutePath().getParent());
                Files.createFile(path);
                PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
                if (view != null) {
                    view.setPermissions(PosixFilePermissions.fromString("rw-------"));
                }
            }
        } catch (IOException e) {
            throw new StartException("AUDIT_LOG: the file " + path + " cannot be written: " + e.getMessage(), e);
        }
        if (!Files.isRegularFile(path) || !Files.isWritable(path)) {
            throw new StartException("AUDIT_LOG: " + path + " is no file that can be written");
        }
        FileAppender<ILoggingEvent> file = new FileAppender<>();
        file.setContext(context);
        file.setFile(path.toString());
        file.setEncoder(encoder(context, "%msg%n"));
        file.start();
        return file;
    }

    /** Libraries speak of trouble alone, unless everything is asked for. */
    private static Level libraries(LogLevel level) {
        return switch (level) {
            case TRACE -> Level.TRACE;
            case DEBUG, INFO, WARN -> Level.WARN;
            case ERROR -> Level.ERROR;
        };
    }

    private static Encoder<ILoggingEvent> text(LoggerContext context) {
        return encoder(context, PATTERN);
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, String pattern) {
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setPattern(pattern);
        encoder.start();
        return encoder;
    }

    private static Encoder<ILoggingEvent> json(LoggerContext context) {
        LogstashEncoder encoder = new LogstashEncoder();
        encoder.setContext(context);
        encoder.setTimeZone("UTC");
        encoder.start();
        return encoder;
    }
}
