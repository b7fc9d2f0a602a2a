package dev.agentpipe.server.operations;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The files that an operator loads into Prometheus and Grafana, and the documents that they have to agree with. */
final class Monitoring {

    static final Path ROOT = Path.of("..");
    static final Path PROMETHEUS = ROOT.resolve("conf/prometheus");
    static final Path GRAFANA = ROOT.resolve("conf/grafana");

    /** The entries of docs/RUNBOOK.md. */
    static final Set<String> RUNBOOK = Set.of(
            "backup-old",
            "canary",
            "capacity",
            "certificate",
            "database-away",
            "database-breach",
            "database-connections",
            "disk-full",
            "high-cpu",
            "high-error-rate",
            "high-memory",
            "ingest-refused",
            "key-compromised",
            "lag",
            "logs-dropped",
            "rate-limits",
            "redis-away",
            "restore",
            "server-down",
            "slow-api",
            "slow-queries",
            "streams-dropping",
            "uploads-failing");

    private static final Pattern METRIC = Pattern.compile(
            "^\\| `([a-z0-9_]+)` \\| (gauge|counter|histogram|summary) \\|([^|]*)\\|", Pattern.MULTILINE);
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final ObjectMapper YAML = new YAMLMapper();

    private Monitoring() {}

    static JsonNode yaml(Path file) throws IOException {
        return YAML.readTree(Files.readString(file));
    }

    static List<JsonNode> rules() throws IOException {
        List<JsonNode> rules = new ArrayList<>();
        yaml(PROMETHEUS.resolve("alerts.yml"))
                .get("groups")
                .forEach(group -> group.get("rules").forEach(rules::add));
        return rules;
    }

    /** By name, in their order. */
    static Map<String, JsonNode> alerts() throws IOException {
        Map<String, JsonNode> alerts = new LinkedHashMap<>();
        for (JsonNode rule : rules()) {
            if (rule.has("alert") && alerts.put(rule.get("alert").stringValue(), rule) != null) {
                throw new IllegalStateException("twice: " + rule.get("alert"));
            }
        }
        return alerts;
    }

    /** By the name of the file, without its end. */
    static Map<String, JsonNode> dashboards() throws IOException {
        Map<String, JsonNode> dashboards = new TreeMap<>();
        try (Stream<Path> files = Files.list(GRAFANA)) {
            for (Path file :
                    files.filter(one -> one.toString().endsWith(".json")).toList()) {
                dashboards.put(
                        file.getFileName().toString().replace(".json", ""),
                        JsonMapper.shared().readTree(Files.readString(file)));
            }
        }
        return dashboards;
    }

    /** Labels by series, of all that the server and Prometheus itself have, and of what the rules make of it. */
    static Map<String, Set<String>> series() throws IOException {
        Map<String, Set<String>> series = new TreeMap<>();
        Matcher row = METRIC.matcher(Files.readString(ROOT.resolve("docs/METRICS.md")));
        while (row.find()) {
            String name = row.group(1);
            String type = row.group(2);
            Set<String> labels = new TreeSet<>(Set.of("job", "instance"));
            CODE.matcher(row.group(3)).results().forEach(label -> labels.add(label.group(1)));
            if (type.equals("gauge") || type.equals("counter")) {
                series.put(name, labels);
            } else {
                series.put(name + "_sum", labels);
                series.put(name + "_count", labels);
                series.put(name + "_max", labels);
            }
            if (type.equals("histogram")) {
                Set<String> withBorder = new TreeSet<>(labels);
                withBorder.add("le");
                series.put(name + "_bucket", withBorder);
            }
        }
        series.put("up", Set.of("job", "instance"));
        series.put("ALERTS", Set.of("job", "instance", "alertname", "alertstate"));
        for (JsonNode rule : rules()) {
            if (rule.has("record")) {
                PromQl expression = PromQl.of(rule.get("expr").stringValue());
                series.put(rule.get("record").stringValue(), expression.labelsOut(series));
            }
        }
        return series;
    }
}
