package dev.agentpipe.server.loadtest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** {@code conf/k6/load-test.js} is the scenario that {@code bench --scenario steady} is. k6 itself is not run here. */
final class K6ScriptTest {

    @Test
    void script_hasTheNumbersOfSteady() throws Exception {
        String script = Files.readString(Path.of("..", "conf", "k6", "load-test.js"));

        assertEquals(Plan.CONVERSATIONS, number(script, "const USERS = (\\d+);"));
        assertEquals(Goal.STEADY.streams(), number(script, "const STREAMS = (\\d+);"));
        assertEquals(Goal.STEADY.eventsPerSecond() * 60, number(script, "const EVENTS_PER_MINUTE = (\\d+);"), 1e-9);
        assertEquals(
                Goal.STEADY.p95Millis(), number(script, "'http_req_duration\\{kind:ingest}': \\['p\\(95\\)<(\\d+)']"));
        assertEquals(
                Goal.STEADY.errorShare(), number(script, "'http_req_failed\\{kind:ingest}': \\['rate<([0-9.]+)']"));
        assertFalse(Double.isFinite(Goal.STEADY.p99Millis()), "the script has no threshold for p99");
    }

    private static double number(String script, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(script);
        assertEquals(true, matcher.find(), pattern);
        return Double.parseDouble(matcher.group(1));
    }
}
