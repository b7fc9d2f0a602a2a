package dev.agentpipe.server.metrics;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text of Prometheus, read. */
record Exposed(Map<String, Family> families) {

    /** @param labels by name; those of a histogram's borders are left out */
    record Sample(String name, Map<String, String> labels, double value) {}

    record Family(String type, List<Sample> samples) {
        Set<String> labels() {
            Set<String> names = new TreeSet<>();
            samples.forEach(sample -> names.addAll(sample.labels.keySet()));
            return names;
        }
    }

    private static final Pattern SAMPLE = Pattern.compile("([a-z0-9_]+)(?:\\{(.*)})? ([^ ]+)");
    private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    static Exposed of(String text) {
        Map<String, Family> families = new TreeMap<>();
        Family family = null;
        for (String line : text.split("\n")) {
            String[] words = line.split(" ", 4);
            if (line.startsWith("# TYPE ")) {
                family = new Family(words[3], new ArrayList<>());
                families.put(words[2], family);
            } else if (!line.startsWith("#")) {
                family.samples.add(sample(line));
            }
        }
        return new Exposed(families);
    }

    private static Sample sample(String line) {
        Matcher matcher = SAMPLE.matcher(line);
        if (!matcher.matches()) {
            throw new AssertionError(line);
        }
        Map<String, String> labels = new LinkedHashMap<>();
        if (matcher.group(2) != null) {
            Matcher label = LABEL.matcher(matcher.group(2));
            while (label.find()) {
                if (!label.group(1).equals("le")) {
                    labels.put(label.group(1), label.group(2));
                }
            }
        }
        return new Sample(
                matcher.group(1), labels, Double.parseDouble(matcher.group(3).replace("+Inf", "Infinity")));
    }

    /** The sum of the samples of this name whose labels have these values; 0 if there are none. */
    double value(String name, String... labels) {
        return families.values().stream()
                .flatMap(family -> family.samples.stream())
                .filter(sample -> sample.name.equals(name))
                .filter(sample -> {
                    for (int i = 0; i < labels.length; i += 2) {
                        if (!labels[i + 1].equals(sample.labels.get(labels[i]))) {
                            return false;
                        }
                    }
                    return true;
                })
                .mapToDouble(Sample::value)
                .sum();
    }
}
