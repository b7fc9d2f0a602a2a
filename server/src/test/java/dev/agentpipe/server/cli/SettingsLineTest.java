package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.encoder.Encoder;
import ch.qos.logback.core.read.ListAppender;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.logs.JsonLines;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class SettingsLineTest {

    private final LoggerContext context = new LoggerContext();

    SettingsLineTest() {
        context.setMDCAdapter(new LogbackMDCAdapter());
    }

    private ILoggingEvent log(Map<String, String> variables) throws Exception {
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.setContext(context);
        appender.start();
        context.getLogger("x").addAppender(appender);
        SettingsLine.log(context.getLogger("x"), SettingsReader.read(variables).settings(), variables);
        assertEquals(1, appender.list.size());
        return appender.list.get(0);
    }

    @Test
    void line_ofText_hasWhatSomebodyHasSet() throws Exception {
        String line = log(Map.of("PORT", "3001", "AGENTPIPE_ADMIN_API_KEY", "hush-hush-hush"))
                .getFormattedMessage();
        assertTrue(line.contains(" PORT=3001"), line);
        assertTrue(line.matches(".* AGENTPIPE_ADMIN_API_KEY=…[0-9a-f]{8}.*"), line);
        assertFalse(line.contains("HOST=") || line.contains("hush"), line);
    }

    @Test
    void line_ofNothingSet_saysSo() throws Exception {
        assertTrue(log(Map.of()).getFormattedMessage().endsWith("all settings are defaults"));
    }

    @Test
    void line_ofJson_hasAllAsFields() throws Exception {
        Encoder<ILoggingEvent> encoder = JsonLines.encoder(context);
        Map<String, String> variables =
                new HashMap<>(Map.of("LOG_FORMAT", "json", "DATABASE_URL", "postgres://a:hush@b/c"));
        String line = new String(encoder.encode(log(variables)), StandardCharsets.UTF_8);
        JsonNode json = JsonMapper.shared().readTree(line);
        assertEquals(
                "postgres://a:***@b/c", json.get("settings").get("DATABASE_URL").asString());
        assertEquals("3000", json.get("settings").get("PORT").asString());
        assertEquals(2, json.get("set").size(), line);
        assertFalse(line.contains("hush"), line);
    }
}
