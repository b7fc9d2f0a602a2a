package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.ConsoleAppender;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.Settings.LogLevel;
import dev.agentpipe.server.Settings.Logging;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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

        LogSetup.apply(new Logging(LogLevel.ERROR, LogFormat.TEXT), context);
        assertFalse(context.getLogger("dev.agentpipe.server.Some").isWarnEnabled());
        assertFalse(context.getLogger("io.undertow").isWarnEnabled());
    }

    private ConsoleAppender<?> console() {
        return (ConsoleAppender<?>) context.getLogger(Logger.ROOT_LOGGER_NAME)
                .iteratorForAppenders()
                .next();
    }

    private String encoded(String message, Map<String, String> requestFields) {
        Logger logger = context.getLogger("dev.agentpipe.server.Some");
        LoggingEvent event = new LoggingEvent("none", logger, Level.WARN, message, null, null);
        event.setInstant(Instant.parse("2026-01-02T03:04:05.678Z"));
        event.setMDCPropertyMap(requestFields);
        event.setThreadName("main");
        @SuppressWarnings("unchecked")
        ConsoleAppender<ILoggingEvent> console = (ConsoleAppender<ILoggingEvent>) console();
        return new String(console.getEncoder().encode(event), StandardCharsets.UTF_8);
    }
}
