package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import dev.agentpipe.server.Settings.Logging;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.logs.LogFields;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class LogSetupTest {

    private final LoggerContext context = new LoggerContext();

    @BeforeEach
    void giveTheContextItsMdc() {
        context.setMDCAdapter(new LogbackMDCAdapter());
    }

    @AfterEach
    void stopTheContext() {
        context.stop();
    }

    @Test
    void text_lineOfARequest_isOneLineOnStandardErrorInUtc() {
        LogSetup.apply(new Logging(LogLevel.INFO, LogFormat.TEXT), context);

        assertEquals("System.err", console().getTarget());
        assertEquals(
                "2026-01-02T03:04:05.678Z WARN  [main] Some r-1: two | lines" + System.lineSeparator(),
                encoded("two\r\nlines", Map.of("requestId", "r-1")));
        assertEquals(
                "2026-01-02T03:04:05.678Z WARN  [main] Some: plain" + System.lineSeparator(),
                encoded("plain", Map.of()));
    }

    @Test
    void text_ofWhatAnAttackerWrites_isNeitherALineNorAColour() {
        LogSetup.apply(new Logging(LogLevel.INFO, LogFormat.TEXT), context);
        String forged = "2026-01-02T03:04:05.678Z INFO  [main] Some: all is well";

        assertEquals(
                "2026-01-02T03:04:05.678Z WARN  [main] Some: a | " + forged + " ?[31m?2J?x?y?" + System.lineSeparator(),
                encoded("a\n" + forged + " \u001b[31m\u009b2J\u202ex\u2028y\u0000", Map.of()));

        String thrown = encoded("failed", Map.of(), new IllegalStateException("a\r\n" + forged + "\n\u001b[31m"));
        List<String> lines = thrown.lines().toList();
        assertEquals("java.lang.IllegalStateException: a?", lines.get(1));
        assertEquals("  " + forged, lines.get(2));
        assertEquals("  ?[31m", lines.get(3));
        assertTrue(lines.get(4).startsWith("\tat dev.agentpipe"), thrown);
        assertTrue(lines.stream().skip(4).allMatch(line -> line.startsWith("\t")), thrown);
    }

    @Test
    void json_lineOfARequest_isOneObjectOnStandardOutput() {
        LogSetup.apply(new Logging(LogLevel.INFO, LogFormat.JSON), context);

        String line = encoded("two\nlines \u2028 ü", Map.of("requestId", "r-1"));
        JsonNode json = JsonMapper.shared().readTree(line);

        assertEquals("System.out", console().getTarget());
        assertEquals(
                line.length() - System.lineSeparator().length(), line.strip().length(), "one line");
        assertFalse(line.strip().contains("\n"), line);
        assertEquals("two\nlines \u2028 ü", json.get("message").asString());
        assertEquals("r-1", json.get("requestId").asString());
        assertEquals("WARN", json.get("level").asString());
        assertEquals("2026-01-02T03:04:05.678Z", json.get("@timestamp").asString());
    }

    @Test
    void levels_ofTheServer_leaveLibrariesQuiet() {
        LogSetup.apply(new Logging(LogLevel.DEBUG, LogFormat.TEXT), context);
        assertTrue(context.getLogger("dev.agentpipe.server.Some").isDebugEnabled());
        assertFalse(context.getLogger("io.undertow").isInfoEnabled());
        assertTrue(context.getLogger("io.undertow").isWarnEnabled());

        LogSetup.apply(new Logging(LogLevel.TRACE, LogFormat.TEXT), context);
        assertTrue(context.getLogger("com.zaxxer.hikari").isTraceEnabled());
        assertFalse(context.getLogger("io.undertow.server.HttpServerExchange").isDebugEnabled(), "it logs URLs");
        assertFalse(context.getLogger("org.jooq.tools.LoggerListener").isWarnEnabled(), "it logs rows");

        LogSetup.apply(new Logging(LogLevel.ERROR, LogFormat.TEXT), context);
        assertFalse(context.getLogger("dev.agentpipe.server.Some").isWarnEnabled());
        assertFalse(context.getLogger("io.undertow").isWarnEnabled());
    }

    @Test
    void audit_isALineOfJsonAlsoWhereTheOtherLogsAreQuiet(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("new/audit.log");
        LogSetup.apply(new Logging(LogLevel.ERROR, LogFormat.TEXT, Optional.of(file), Optional.empty()), context);
        context.getLogger(Audit.LOGGER).info("{}", "{\"audit\":\"a\"}");
        LogSetup.apply(new Logging(LogLevel.ERROR, LogFormat.JSON, Optional.of(file), Optional.empty()), context);
        context.getLogger(Audit.LOGGER).info("{}", "{\"audit\":\"b\"}");

        assertEquals(List.of("{\"audit\":\"a\"}", "{\"audit\":\"b\"}"), Files.readAllLines(file));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertThrows(
                StartException.class,
                () -> LogSetup.apply(
                        new Logging(
                                LogLevel.INFO, LogFormat.TEXT, Optional.of(folder.resolve("new")), Optional.empty()),
                        context));
    }

    /** What collects lines of JSON gets one kind, whoever wrote it; in text the audit's object is the message. */
    @Test
    void audit_withTheOtherLogs_isALineAsTheyAre() {
        LogSetup.apply(new Logging(LogLevel.ERROR, LogFormat.JSON), context);
        assertTrue(context.getLogger(Audit.LOGGER).isAdditive());
        assertTrue(context.getLogger(Audit.LOGGER).isInfoEnabled());
        List<LogFields> noted = new ArrayList<>();
        try (CapturedLog log = new CapturedLog(Audit.LOGGER)) {
            new Audit(Clock.fixed(Instant.parse("2026-01-02T03:04:05.678Z"), ZoneOffset.UTC))
                    .note("key.created", "somebody", Map.of("scopes", List.of("read")));
            log.events().forEach(event -> noted.add((LogFields) event.getArgumentArray()[0]));
        }

        assertEquals(
                "{\"@timestamp\":\"2026-01-02T03:04:05.678Z\",\"level\":\"WARN\","
                        + "\"logger\":\"dev.agentpipe.server.Some\",\"thread\":\"main\",\"message\":\"key.created\","
                        + "\"audit\":\"key.created\",\"who\":\"somebody\",\"scopes\":[\"read\"]}",
                encoded("{}", Map.of("requestId", "not of the audit"), null, noted.get(0))
                        .strip());
        LogSetup.apply(new Logging(LogLevel.INFO, LogFormat.TEXT), context);
        assertTrue(encoded("{}", Map.of(), null, noted.get(0))
                .endsWith(" Some: {\"time\":\"2026-01-02T03:04:05.678Z\",\"audit\":\"key.created\","
                        + "\"who\":\"somebody\",\"scopes\":[\"read\"]}\n"));
    }

    @Test
    void json_ofHalfACharacter_isALineAllTheSame() {
        LogSetup.apply(new Logging(LogLevel.INFO, LogFormat.JSON), context);

        String line = encoded("half \ud83d, whole \ud83d\ude00", Map.of());

        assertEquals(
                "half \ud83d, whole \ud83d\ude00",
                JsonMapper.shared().readTree(line).get("message").asString());
    }

    private ConsoleAppender<?> console() {
        return (ConsoleAppender<?>) context.getLogger(Logger.ROOT_LOGGER_NAME)
                .iteratorForAppenders()
                .next();
    }

    private String encoded(String message, Map<String, String> requestFields) {
        return encoded(message, requestFields, null);
    }

    private String encoded(String message, Map<String, String> requestFields, Throwable thrown, Object... arguments) {
        Logger logger = context.getLogger("dev.agentpipe.server.Some");
        LoggingEvent event = new LoggingEvent("none", logger, Level.WARN, message, thrown, arguments);
        event.setInstant(Instant.parse("2026-01-02T03:04:05.678Z"));
        event.setMDCPropertyMap(requestFields);
        event.setThreadName("main");
        @SuppressWarnings("unchecked")
        ConsoleAppender<ILoggingEvent> console = (ConsoleAppender<ILoggingEvent>) console();
        return new String(console.getEncoder().encode(event), StandardCharsets.UTF_8);
    }
}
