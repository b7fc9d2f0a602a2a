package dev.agentpipe.server.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What one run has found: a value for each goal's name, other values worth keeping, and what went wrong. */
final class Run {

    private final Map<String, Double> values = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    void put(String name, double value) {
        values.put(name, value);
    }

    /** Something that makes the values doubtful: a lost event, a failed request. */
    void problem(String text) {
        problems.add(text);
    }

    void problems(List<String> texts) {
        problems.addAll(texts);
    }

    double value(String name) {
        return values.getOrDefault(name, Double.NaN);
    }

    Map<String, Double> values() {
        return values;
    }

    List<String> problems() {
        return problems;
    }
}
