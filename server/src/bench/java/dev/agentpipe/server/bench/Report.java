package dev.agentpipe.server.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** All that was measured, as a table to read and as JSON to reckon with. */
final class Report {

    private static final Goal SYNCED_WRITE = Goal.none("syncedWriteMillis", "", "ms", 2);
    private static final Goal FOREIGN_CPU = Goal.none("foreignCpuPercent", "", "%", 0);

    /**
     * A measurement's runs.
     *
     * @param client which load client was used
     */
    record Entry(Measurement measurement, String client, List<Run> runs) {}

    private final String circumstances;
    private final List<Entry> entries = new ArrayList<>();

    /** @param circumstances when and where this was, as Markdown */
    Report(String circumstances) {
        this.circumstances = circumstances;
    }

    void add(Entry entry) {
        entries.add(entry);
    }

    boolean hasProblems() {
        return entries.stream()
                .anyMatch(entry ->
                        entry.runs().stream().anyMatch(run -> !run.problems().isEmpty()));
    }

    String markdown() {
        StringBuilder text = new StringBuilder(circumstances).append("\n\n");
        text.append("| what | goal | median | all runs | load | synced write | foreign CPU |\n");
        text.append("|---|---|---|---|---|---|---|\n");
        for (Entry entry : entries) {
            for (Goal goal : entry.measurement().goals()) {
                text.append(row(entry, goal)).append('\n');
            }
        }
        List<String> problems = entries.stream()
                .flatMap(entry -> entry.runs().stream()
                        .flatMap(run -> run.problems().stream())
                        .map(problem -> "- `" + entry.measurement().name() + "`: " + problem))
                .distinct()
                .toList();
        text.append('\n');
        if (problems.isEmpty()) {
            text.append("All requests were answered as stored; each stream had each of its events once, in order.\n");
        } else {
            text.append("Not as it should be:\n\n")
                    .append(String.join("\n", problems))
                    .append('\n');
        }
        return text.toString();
    }

    private static String row(Entry entry, Goal goal) {
        boolean first = goal == entry.measurement().goals().get(0);
        List<Double> values = values(entry.runs(), goal.name());
        double median = median(values);
        String figure = goal.withUnit(median);
        List<String> cells = new ArrayList<>();
        cells.add((first ? "" : "… ") + goal.text());
        cells.add(goal.goalText());
        cells.add(goal.limit().isEmpty() ? figure : "**" + figure + "**" + (goal.isMet(median) ? "" : " (missed)"));
        cells.add(values.stream().map(goal::format).collect(Collectors.joining(", ")));
        cells.add(first ? entry.client() : "");
        cells.add(first ? range(entry.runs(), SYNCED_WRITE) : "");
        cells.add(first ? range(entry.runs(), FOREIGN_CPU) : "");
        return "| " + String.join(" | ", cells) + " |";
    }

    private static List<Double> values(List<Run> runs, String name) {
        return runs.stream().map(run -> run.value(name)).toList();
    }

    /** The middle one, or the mean of both; NaN if there is none. */
    static double median(List<Double> values) {
        List<Double> sorted =
                values.stream().filter(value -> !value.isNaN()).sorted().toList();
        if (sorted.isEmpty()) {
            return Double.NaN;
        }
        int half = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
    }

    private static String range(List<Run> runs, Goal goal) {
        List<Double> ends = values(runs, goal.name()).stream()
                .filter(value -> !value.isNaN())
                .sorted()
                .toList();
        if (ends.isEmpty()) {
            return "none";
        }
        String least = goal.format(ends.get(0));
        String most = goal.withUnit(ends.get(ends.size() - 1));
        return most.startsWith(least + " ") ? most : least + "–" + most;
    }

    String json() {
        List<Object> all = new ArrayList<>();
        for (Entry entry : entries) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("name", entry.measurement().name());
            one.put("load", entry.client());
            Map<String, Object> goals = new LinkedHashMap<>();
            for (Goal goal : entry.measurement().goals()) {
                goal.limit()
                        .ifPresent(limit -> goals.put(goal.name(), Map.of(goal.atLeast() ? "least" : "most", limit)));
            }
            one.put("goals", goals);
            one.put("runs", entry.runs().stream().map(Run::values).toList());
            one.put("problems", entry.runs().stream().map(Run::problems).toList());
            all.add(one);
        }
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("circumstances", circumstances);
        report.put("measurements", all);
        return JsonMapper.builder()
                .enable(SerializationFeature.INDENT_OUTPUT)
                .build()
                .writeValueAsString(report);
    }
}
