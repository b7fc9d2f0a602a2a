package dev.agentpipe.server.operations;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.stream.Streams;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/**
 * What rules and dashboards ask for is what the server offers: a name that was changed, or misspelt, never fires and shows nothing.
 * They are held against docs/METRICS.md, which another test holds against a running server.
 */
final class MetricNamesTest {

    private static final Pattern CODE = Pattern.compile("`([^`\\n]+)`");
    private static final Pattern LITERAL = Pattern.compile("\"([a-z_]+)\"");
    private static final Pattern IN_LEGEND = Pattern.compile("\\{\\{(\\w+)}}");

    private record Use(String where, PromQl expression, String legend) {}

    private static List<Use> uses() throws IOException {
        List<Use> uses = new ArrayList<>();
        for (JsonNode rule : Monitoring.rules()) {
            String name = rule.path("alert").asString(rule.path("record").asString(""));
            uses.add(new Use(name, PromQl.of(rule.get("expr").stringValue()), ""));
        }
        Monitoring.dashboards().forEach((file, dashboard) -> {
            for (JsonNode panel : dashboard.get("panels")) {
                String where = file + ", " + panel.get("title").stringValue();
                panel.path("targets")
                        .forEach(target -> uses.add(new Use(
                                where,
                                PromQl.of(target.get("expr").stringValue()),
                                target.get("legendFormat").stringValue())));
            }
            dashboard
                    .get("annotations")
                    .get("list")
                    .forEach(one -> uses.add(new Use(
                            file,
                            PromQl.of(one.get("expr").stringValue()),
                            one.get("titleFormat").stringValue())));
        });
        return uses;
    }

    @Test
    void metricsAndLabels_inRulesAndDashboards_exist() throws Exception {
        Map<String, Set<String>> series = Monitoring.series();
        List<Use> uses = uses();

        assertTrue(uses.size() > 200, "all are found");
        assertAll(uses.stream().map(use -> () -> {
            for (PromQl.Selector selector : use.expression.selectors()) {
                assertTrue(series.containsKey(selector.metric()), () -> use.where + ": " + selector.metric());
                assertTrue(
                        series.get(selector.metric())
                                .containsAll(selector.values().keySet()),
                        () -> use.where + ": " + selector);
            }
            assertTrue(
                    use.expression.labelsIn(series).containsAll(use.expression.grouping()),
                    () -> use.where + ": " + use.expression.grouping());
            Set<String> shown = new TreeSet<>();
            IN_LEGEND.matcher(use.legend).results().forEach(label -> shown.add(label.group(1)));
            assertTrue(use.expression.labelsOut(series).containsAll(shown), () -> use.where + ": " + shown);
        }));
    }

    @Test
    void valuesOfLabels_inRulesAndDashboards_areThoseOfTheServer() throws Exception {
        Set<String> known = new HashSet<>(Set.of("agentpipe", "firing", "pending", "+Inf"));
        CODE.matcher(Files.readString(Monitoring.ROOT.resolve("docs/METRICS.md")))
                .results()
                .forEach(code -> known.add(code.group(1)));
        Arrays.stream(Problem.values()).forEach(problem -> known.add(problem.code()));
        Arrays.stream(Streams.Reset.values())
                .forEach(reset -> known.add(reset.name().toLowerCase(Locale.ROOT)));
        Set<String> statements = new HashSet<>();
        try (Stream<Path> sources = Files.walk(Monitoring.ROOT.resolve("db/src/main/java"))) {
            for (Path source : sources.filter(Files::isRegularFile).toList()) {
                LITERAL.matcher(Files.readString(source)).results().forEach(found -> statements.add(found.group(1)));
            }
        }
        Set<String> unknown = new TreeSet<>();
        for (Use use : uses()) {
            for (PromQl.Selector selector : use.expression.selectors()) {
                selector.values().forEach((label, value) -> {
                    for (String one : value.split("\\|")) {
                        Set<String> values = label.equals("statement") ? statements : known;
                        if (!values.contains(one) && !one.contains(".*") && !one.startsWith("$")) {
                            unknown.add(use.where + ": " + label + "=" + one);
                        }
                    }
                });
            }
        }

        assertEquals(Set.of(), unknown);
    }

    @Test
    void promQl_names_areFound() {
        PromQl found = PromQl.of(
                "sum by (job, le) (rate(a_total{x=\"}\", y=~\"p|q\"}[5m])) / on (job) b:c > 0.5e3 and time() - d offset 5m > 0");

        assertEquals(
                List.of(
                        new PromQl.Selector("a_total", Map.of("x", "}", "y", "p|q")),
                        new PromQl.Selector("b:c", Map.of()),
                        new PromQl.Selector("d", Map.of())),
                found.selectors());
        assertEquals(Set.of("job", "le"), found.grouping());
        assertThrows(IllegalArgumentException.class, () -> PromQl.of("{x=\"1\"}"));
        assertThrows(IllegalArgumentException.class, () -> PromQl.of("a ? b"));
    }
}
