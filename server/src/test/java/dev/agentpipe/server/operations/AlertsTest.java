package dev.agentpipe.server.operations;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Each alert fires when it should, not before, and tells what to do. */
final class AlertsTest {

    private static final Path TESTS = Monitoring.PROMETHEUS.resolve("alerts.test.yml");
    private static final Pattern INSTANCE = Pattern.compile("instance=\"([^\"]+)\"");
    private static final Pattern COMPARISON = Pattern.compile("(>=|>|<) ([0-9.]+)( \\* 86400)?");

    /** No server is there to be named. */
    private static final String OF_NO_SERVER = "AgentPipeAbsent";

    /** What the product promises: alert of the target, target, alert, threshold. */
    private static final List<List<String>> TARGETS = List.of(
            List.of("AgentPipeApiP95AboveTarget", "p95 > 0.2", "AgentPipeApiP95Slow", "p95 > 0.5"),
            List.of("AgentPipeApiP99AboveTarget", "p99 > 0.5", "AgentPipeApiP99Slow", "p99 > 1"),
            List.of("AgentPipeErrorRateAboveTarget", "ratio1h > 0.001", "AgentPipeErrorRateHigh", "ratio5m > 0.01"),
            List.of("AgentPipeDatabaseAboveTarget", "p95 > 0.05", "AgentPipeDatabaseSlow", "p95 > 0.2"),
            List.of("AgentPipeStreamsBelowTarget", "ratio1h > 0.001", "AgentPipeStreamsDropping", "ratio10m > 0.01"),
            List.of("AgentPipeUploadsBelowTarget", "ratio6h > 0.01", "AgentPipeUploadsFailing", "ratio30m > 0.02"),
            List.of("AgentPipeCpuAboveTarget", "> 0.5", "AgentPipeCpuHigh", "> 0.8"),
            List.of("AgentPipeMemoryAboveTarget", "> 0.7", "AgentPipeMemoryHigh", "> 0.85"),
            List.of("AgentPipeDiskAboveTarget", "> 0.7", "AgentPipeDiskHigh", "> 0.85"),
            List.of("AgentPipeDatabaseConnectionsAboveTarget", "> 0.5", "AgentPipeDatabaseConnectionsHigh", "> 0.8"),
            List.of("AgentPipeRedisMemoryAboveTarget", "> 0.7", "AgentPipeRedisMemoryHigh", "> 0.85"));

    @TempDir
    private Path folder;

    private static String text(JsonNode node, String... path) {
        for (String name : path) {
            node = node.path(name);
        }
        return node.asString("");
    }

    @Test
    void configuration_withTheRules_isAccepted() throws Exception {
        Promtool.assertAccepts(Monitoring.PROMETHEUS, "check", "config", "prometheus.yml");
    }

    /** A file for each group: promtool looks at all rules of a file in each step of each case, which took five times as long. */
    @Test
    void alerts_inTheirCases_fireExactlyWhenTheyShould() throws Exception {
        JsonNode tests = Monitoring.yaml(TESTS);
        List<String> arguments = new ArrayList<>(List.of("test", "rules"));
        for (JsonNode group :
                Monitoring.yaml(Monitoring.PROMETHEUS.resolve("alerts.yml")).get("groups")) {
            Set<String> alerts =
                    stream(group.get("rules")).map(rule -> text(rule, "alert")).collect(Collectors.toSet());
            String rules = write(text(group, "name") + ".json", Map.of("groups", List.of(group)));
            List<JsonNode> cases = stream(tests.get("tests"))
                    .filter(one -> alerts.contains(text(one, "name")))
                    .toList();
            assertFalse(cases.isEmpty(), rules);
            arguments.add(write(
                    "test." + rules,
                    Map.of("rule_files", List.of(rules), "evaluation_interval", "1m", "tests", cases)));
        }

        Promtool.assertAccepts(folder, arguments.toArray(String[]::new));
    }

    private String write(String name, Object content) throws Exception {
        Files.writeString(folder.resolve(name), JsonMapper.shared().writeValueAsString(content)); // JSON is YAML
        return name;
    }

    @Test
    void cases_ofEachAlert_areAboveAndBelowItsThreshold() throws Exception {
        Set<String> missing = new TreeSet<>(Monitoring.alerts().keySet());
        for (JsonNode group : Monitoring.yaml(TESTS).get("tests")) {
            String alert = text(group, "name");
            assertTrue(missing.remove(alert), () -> "unknown, or twice: " + alert);
            assertCases(alert, group);
        }

        assertEquals(Set.of(), missing, "have no case");
    }

    private static void assertCases(String alert, JsonNode group) throws Exception {
        List<JsonNode> cases = stream(group.get("alert_rule_test")).toList();
        assertTrue(cases.stream().allMatch(one -> text(one, "alertname").equals(alert)), alert);
        JsonNode last = cases.get(cases.size() - 1);
        assertEquals(1, last.path("exp_alerts").size(), () -> alert + " fires in its last case");
        assertTrue(
                cases.size() == 2 && !cases.get(0).has("exp_alerts"), () -> alert + " does not fire before its time");
        if (alert.equals(OF_NO_SERVER)) {
            return;
        }
        String firing = text(last.get("exp_alerts").get(0), "exp_labels", "instance");
        Set<String> above = new HashSet<>();
        Set<String> below = new HashSet<>();
        for (JsonNode series : group.get("input_series")) {
            String of = text(series, "series");
            Matcher instance = INSTANCE.matcher(of);
            assertTrue(instance.find(), of);
            (instance.group(1).equals(firing) ? above : below).add(of.substring(0, of.indexOf('{')));
        }
        assertEquals(above, below, () -> alert + " has a server that does not fire, with the same metrics");
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    @Test
    void thresholds_areTheTargets() throws Exception {
        Map<String, JsonNode> alerts = Monitoring.alerts();
        assertAll(TARGETS.stream().map(target -> () -> {
            for (int i = 0; i < target.size(); i += 2) {
                String expression = text(alerts.get(target.get(i)), "expr");
                assertTrue(
                        (expression + " ").contains(target.get(i + 1) + " ")
                                || (expression + "\n").contains(target.get(i + 1) + "\n"),
                        target.get(i));
            }
        }));
    }

    @Test
    void alerts_tell_whatAndWhereAndWhatToDo() throws Exception {
        Path runbook = Monitoring.ROOT.resolve("docs/RUNBOOK.md");
        Set<String> entries = entries(Files.readString(runbook));
        assertTrue(entries.containsAll(Monitoring.RUNBOOK), () -> entries + " lack some of " + Monitoring.RUNBOOK);

        assertAll(Monitoring.alerts().values().stream().map(rule -> () -> {
            String alert = text(rule, "alert");
            String description = text(rule, "annotations", "description");
            String topic = text(rule, "labels", "topic");
            assertTrue(alert.startsWith("AgentPipe"), alert);
            assertTrue(Set.of("page", "warning").contains(text(rule, "labels", "severity")), alert);
            assertTrue(Monitoring.RUNBOOK.contains(topic), () -> alert + ": " + topic);
            assertEquals("docs/RUNBOOK.md#" + topic, text(rule, "annotations", "runbook_url"), alert);
            assertFalse(text(rule, "annotations", "summary").isEmpty(), alert);
            assertTrue(alert.equals(OF_NO_SERVER) || description.contains("$labels.instance"), alert);
            boolean isYesOrNo = text(rule, "expr").matches("absent\\(.*|[a-z_]+(\\{[^}]*})? == 0");
            assertEquals(!isYesOrNo, description.contains("$value"), alert);
        }));
    }

    @Test
    void runbook_names_alertsAndMetricsThatExist() throws Exception {
        String runbook = Files.readString(Monitoring.ROOT.resolve("docs/RUNBOOK.md"));
        Set<String> series = Monitoring.series().keySet();
        Map<String, JsonNode> alerts = Monitoring.alerts();
        List<String> unknown = new ArrayList<>();

        // A name, or the beginning of several that a pattern for grep has.
        Pattern.compile("\\b(?:agentpipe|jvm)_[a-z0-9_]+")
                .matcher(runbook)
                .results()
                .map(MatchResult::group)
                .filter(name -> series.stream().noneMatch(known -> known.startsWith(name)))
                .forEach(unknown::add);
        Pattern.compile("\\bAgentPipe[A-Z]\\w+")
                .matcher(runbook)
                .results()
                .map(MatchResult::group)
                .filter(name -> !alerts.containsKey(name))
                .forEach(unknown::add);

        assertEquals(List.of(), unknown);
    }

    /** Anchors, written out or made of headings. */
    private static Set<String> entries(String markdown) {
        Set<String> entries = new HashSet<>();
        Pattern.compile("^#+ (.*)$|<a (?:id|name)=\"([^\"]+)\"", Pattern.MULTILINE)
                .matcher(markdown)
                .results()
                .forEach(found -> entries.add(
                        found.group(2) != null
                                ? found.group(2)
                                : found.group(1)
                                        .toLowerCase(Locale.ROOT)
                                        .replaceAll("[^a-z0-9 -]", "")
                                        .strip()
                                        .replace(' ', '-')));
        return entries;
    }

    @Test
    void document_lists_eachAlertWithItsThreshold() throws Exception {
        Pattern row = Pattern.compile(
                "^\\| `(AgentPipe\\w+)` \\| (\\w+) \\| (.*) \\| (\\S*) \\| \\[([a-z-]+)]\\(RUNBOOK.md#\\5\\) \\|$",
                Pattern.MULTILINE);
        Map<String, MatchResult> rows = row.matcher(Files.readString(Monitoring.ROOT.resolve("docs/alerts.md")))
                .results()
                .collect(Collectors.toMap(found -> found.group(1), found -> found));
        Map<String, JsonNode> alerts = Monitoring.alerts();

        assertEquals(new TreeSet<>(alerts.keySet()), new TreeSet<>(rows.keySet()));
        assertAll(alerts.entrySet().stream().map(alert -> () -> {
            MatchResult found = rows.get(alert.getKey());
            assertEquals(text(alert.getValue(), "labels", "severity"), found.group(2), alert.getKey());
            assertEquals(text(alert.getValue(), "for"), found.group(4), alert.getKey());
            assertEquals(text(alert.getValue(), "labels", "topic"), found.group(5), alert.getKey());
            String when = " " + found.group(3).replace(",", "");
            COMPARISON
                    .matcher(text(alert.getValue(), "expr"))
                    .results()
                    .filter(one -> new BigDecimal(one.group(2)).signum() > 0)
                    .findFirst()
                    .ifPresent(threshold -> {
                        List<String> writings =
                                writings(new BigDecimal(threshold.group(2)), threshold.group(3) != null);
                        assertTrue(
                                writings.stream().anyMatch(one -> when.contains(" " + one)),
                                () -> alert.getKey() + ": one of " + writings);
                    });
        }));
    }

    /** As people write it: 0.01 is 1 %, or 10 ms. */
    private static List<String> writings(BigDecimal value, boolean isDays) {
        if (isDays) {
            return List.of(value + " days");
        }
        List<String> writings = new ArrayList<>(List.of(plain(value)));
        if (value.compareTo(BigDecimal.ONE) < 0) {
            writings.add(plain(value.movePointRight(2)) + " %");
            writings.add(plain(value.movePointRight(3)) + " ms");
        }
        Map.of(60, "a minute", 3_600, "an hour", 86_400, "a day").forEach((seconds, unit) -> {
            BigDecimal[] parts = value.divideAndRemainder(BigDecimal.valueOf(seconds));
            if (parts[1].signum() == 0 && parts[0].signum() > 0) {
                boolean isOne = parts[0].compareTo(BigDecimal.ONE) == 0;
                writings.add(isOne ? unit : plain(parts[0]) + unit.substring(unit.indexOf(' ')) + "s");
            }
        });
        return writings;
    }

    private static String plain(BigDecimal value) {
        return value.stripTrailingZeros().toPlainString();
    }
}
