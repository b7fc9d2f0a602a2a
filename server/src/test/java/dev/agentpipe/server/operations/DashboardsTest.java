package dev.agentpipe.server.operations;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** The dashboards can be imported, and their queries run. */
final class DashboardsTest {

    private static final int COLUMNS = 24;
    private static final Set<String> NAMES =
            Set.of("application-health", "database", "infrastructure", "ingestion", "streaming");
    private static final Pattern ENTRY = Pattern.compile("RUNBOOK\\.md#([a-z-]*)");

    /** Dashboard, panel, target, alert. */
    private static final List<List<Object>> LINES = List.of(
            List.of("application-health", "API time, 95th percentile", 0.2, 0.5),
            List.of("application-health", "API time, 99th percentile", 0.5, 1.0),
            List.of("application-health", "Error rate", 0.001, 0.01),
            List.of("database", "Time, 95th percentile", 0.05, 0.2),
            List.of("database", "Connections of PostgreSQL", 0.5, 0.8),
            List.of("streaming", "Dropped by the server", 0.001, 0.01),
            List.of("ingestion", "Uploads that failed", 0.01, 0.02),
            List.of("infrastructure", "Processor", 0.5, 0.8),
            List.of("infrastructure", "Memory", 0.7, 0.85),
            List.of("infrastructure", "Disks", 0.7, 0.85),
            List.of("infrastructure", "Memory of Redis", 0.7, 0.85));

    @TempDir
    private Path folder;

    @Test
    void dashboards_canBeImported() throws Exception {
        Map<String, JsonNode> dashboards = Monitoring.dashboards();

        assertEquals(NAMES, dashboards.keySet());
        dashboards.forEach((name, dashboard) -> {
            assertEquals("agentpipe-" + name, dashboard.get("uid").stringValue());
            assertTrue(dashboard.get("schemaVersion").intValue() >= 38, name);
            assertFalse(dashboard.has("id") || dashboard.has("version"), () -> name + " has what Grafana gives");
            JsonNode variables = dashboard.get("templating").get("list");
            assertEquals("DS_PROMETHEUS", variables.get(0).get("name").stringValue());
            assertEquals("datasource", variables.get(0).get("type").stringValue());
            assertEquals("instance", variables.get(1).get("name").stringValue());
            assertTrue(variables.get(1).get("multi").booleanValue());
            assertLayout(name, dashboard.get("panels"));
        });
    }

    private static void assertLayout(String name, JsonNode panels) {
        Set<List<Integer>> taken = new HashSet<>();
        Set<String> titles = new HashSet<>();
        for (JsonNode panel : panels) {
            String title = name + ", " + panel.get("title").stringValue();
            JsonNode place = panel.get("gridPos");
            for (int x = 0; x < place.get("w").intValue(); x++) {
                for (int y = 0; y < place.get("h").intValue(); y++) {
                    int column = place.get("x").intValue() + x;
                    assertTrue(
                            column < COLUMNS
                                    && taken.add(List.of(column, place.get("y").intValue() + y)),
                            title);
                }
            }
            if (!panel.get("type").stringValue().equals("row")) {
                assertTrue(titles.add(title + panel.get("type")), () -> title + " is there twice");
                assertPanel(title, panel);
            }
        }
    }

    private static void assertPanel(String title, JsonNode panel) {
        String description = panel.get("description").stringValue();
        assertFalse(description.isBlank(), title);
        ENTRY.matcher(description)
                .results()
                .forEach(entry -> assertTrue(Monitoring.RUNBOOK.contains(entry.group(1)), title));
        assertEquals("${DS_PROMETHEUS}", panel.get("datasource").get("uid").stringValue(), title);
        JsonNode defaults = panel.get("fieldConfig").get("defaults");
        assertFalse(defaults.get("unit").stringValue().isEmpty(), title);
        if (panel.get("type").stringValue().equals("timeseries")
                && defaults.get("thresholds").get("steps").size() > 1) {
            assertEquals("dashed", defaults.at("/custom/thresholdsStyle/mode").stringValue(), title);
        }
        Set<String> ids = new HashSet<>();
        panel.get("targets")
                .forEach(target -> assertTrue(ids.add(target.get("refId").stringValue()), title));
        assertFalse(ids.isEmpty(), title);
    }

    @Test
    void lines_areTheTargetsAndTheAlerts() throws Exception {
        Map<String, JsonNode> dashboards = Monitoring.dashboards();
        assertAll(LINES.stream().map(line -> () -> {
            List<List<Double>> found = new ArrayList<>();
            for (JsonNode panel : dashboards.get((String) line.get(0)).get("panels")) {
                if (panel.get("title").stringValue().equals(line.get(1))) {
                    List<Double> values = new ArrayList<>();
                    panel.at("/fieldConfig/defaults/thresholds/steps").forEach(step -> {
                        if (step.get("value").isNumber()) {
                            values.add(step.get("value").doubleValue());
                        }
                    });
                    found.add(values);
                }
            }
            assertFalse(found.isEmpty(), () -> "no panel " + line);
            found.forEach(values -> assertEquals(line.subList(2, 4), values, () -> line + ""));
        }));
    }

    @Test
    void queries_areAcceptedByPrometheus() throws Exception {
        List<Map<String, String>> rules = new ArrayList<>();
        for (JsonNode dashboard : Monitoring.dashboards().values()) {
            for (JsonNode panel : dashboard.get("panels")) {
                panel.path("targets").forEach(target -> rules.add(rule(target.get("expr"), rules.size())));
            }
            dashboard.get("annotations").get("list").forEach(one -> rules.add(rule(one.get("expr"), rules.size())));
        }
        Path file = folder.resolve("queries.json"); // JSON is YAML
        ObjectMapper mapper = JsonMapper.shared();
        Files.writeString(
                file, mapper.writeValueAsString(Map.of("groups", List.of(Map.of("name", "queries", "rules", rules)))));

        assertTrue(rules.size() > 100, "all are found");
        Promtool.assertAccepts(folder, "check", "rules", file.getFileName().toString());
    }

    private static Map<String, String> rule(JsonNode expression, int number) {
        String query =
                expression.stringValue().replace("$__rate_interval", "5m").replace("$instance", ".*");
        assertFalse(query.contains("$"), query);
        return Map.of("record", "query:" + number, "expr", query);
    }
}
