package dev.agentpipe.server.operations;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an expression of PromQL names. Simple, and strict: each identifier is a keyword, a function, a label or a metric, so what
 * is not understood turns up as a metric that does not exist. That the expression is valid is promtool's to say.
 */
record PromQl(List<Selector> selectors, Set<String> grouping) {

    /** @param values by label, as the matcher has them; regular expressions are not resolved */
    record Selector(String metric, Map<String, String> values) {}

    private static final Set<String> GROUPING = Set.of("by", "without", "on", "ignoring", "group_left", "group_right");
    private static final Set<String> OPERATORS = Set.of("and", "or", "unless", "bool", "offset");
    private static final Pattern TOKEN = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|\\[[^]]*]|[0-9][0-9a-zA-Z.]*"
            + "|[a-zA-Z_:][a-zA-Z0-9_:]*|=~|!~|!=|[=<>]=?|[-+*/%^(){},]");
    private static final Pattern NAME = Pattern.compile("[a-zA-Z_:][a-zA-Z0-9_:]*");

    static PromQl of(String expression) {
        return new Reader(expression).read();
    }

    /** Of what comes out, as far as this is told without running it: those it is grouped by, or else all. */
    Set<String> labelsOut(Map<String, Set<String>> labelsByMetric) {
        return grouping.isEmpty() ? labelsIn(labelsByMetric) : grouping;
    }

    Set<String> labelsIn(Map<String, Set<String>> labelsByMetric) {
        Set<String> labels = new TreeSet<>();
        selectors.forEach(selector -> labels.addAll(labelsByMetric.getOrDefault(selector.metric(), Set.of())));
        return labels;
    }

    private static final class Reader {
        private final List<String> tokens = new ArrayList<>();
        private final List<Selector> selectors = new ArrayList<>();
        private final Set<String> grouping = new TreeSet<>();
        private int at;

        Reader(String expression) {
            Matcher token = TOKEN.matcher(expression);
            int end = 0;
            while (token.find()) {
                if (!expression.substring(end, token.start()).isBlank()) {
                    throw new IllegalArgumentException("not understood: " + expression.substring(end));
                }
                tokens.add(token.group());
                end = token.end();
            }
            if (!expression.substring(end).isBlank()) {
                throw new IllegalArgumentException("not understood: " + expression.substring(end));
            }
        }

        PromQl read() {
            while (at < tokens.size()) {
                String token = tokens.get(at++);
                if (token.equals("{")) {
                    throw new IllegalArgumentException("a selector without a metric");
                } else if (NAME.matcher(token).matches()) {
                    named(token);
                }
            }
            return new PromQl(List.copyOf(selectors), grouping);
        }

        private void named(String name) {
            String next = at < tokens.size() ? tokens.get(at) : "";
            if (GROUPING.contains(name)) {
                if (next.equals("(")) {
                    at++;
                    for (String label; !(label = tokens.get(at++)).equals(")"); ) {
                        if (!label.equals(",")) {
                            grouping.add(label);
                        }
                    }
                }
            } else if (!OPERATORS.contains(name) && !next.equals("(") && !GROUPING.contains(next)) {
                selectors.add(new Selector(name, next.equals("{") ? matchers() : Map.of()));
            }
        }

        private Map<String, String> matchers() {
            Map<String, String> values = new LinkedHashMap<>();
            at++;
            while (!tokens.get(at).equals("}")) {
                if (tokens.get(at).equals(",")) {
                    at++;
                } else {
                    String value = tokens.get(at + 2);
                    values.put(tokens.get(at), value.substring(1, value.length() - 1));
                    at += 3;
                }
            }
            at++;
            return values;
        }
    }
}
