package dev.agentpipe.server.docs;

import dev.agentpipe.server.docs.Api.Operation;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * A value of a parameter of a query, on this side or on that side of what the document allows.
 *
 * @param path as it is sent
 * @param isAllowed whether the document allows it
 */
record Probe(Operation operation, String parameter, String path, boolean isAllowed) {

    static List<Probe> of(Api api, Operation operation) {
        List<Probe> probes = new ArrayList<>();
        String path = path(api, operation);
        for (JsonNode parameter : api.parameters(operation, "query")) {
            String name = parameter.get("name").stringValue();
            JsonNode schema = api.resolve(parameter.get("schema"));
            allowed(api, schema)
                    .forEach(value -> probes.add(new Probe(operation, name, query(path, name, value), true)));
            refused(api, schema)
                    .forEach(value -> probes.add(new Probe(operation, name, query(path, name, value), false)));
        }
        return probes;
    }

    /** The operation's path with the examples of its parameters. */
    static String path(Api api, Operation operation) {
        String path = operation.path();
        for (JsonNode parameter : api.parameters(operation, "path")) {
            path = path.replace(
                    "{" + parameter.get("name").stringValue() + "}",
                    parameter.get("example").asString());
        }
        return path;
    }

    static String query(String path, String name, String value) {
        String beside = switch (name) {
            case "page" -> "limit=1&"; // the greatest page is that of the smallest pages
            case "interval" -> "startDate=2026-11-22&endDate=2026-11-23&"; // needs a beginning
            default -> "";
        };
        return path + "?" + beside + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static List<String> allowed(Api api, JsonNode schema) {
        if (schema.has("enum")) {
            return schema.get("enum").valueStream().map(JsonNode::asString).toList();
        }
        return switch (schema.path("type").stringValue("")) {
            case "integer" ->
                List.of(schema.get("minimum").asString(), schema.get("maximum").asString());
            case "boolean" -> List.of("true", "false");
            case "array" -> {
                List<String> items = allowed(api, api.resolve(schema.get("items")));
                yield schema.has("maxItems")
                        ? List.of(
                                items.get(0),
                                several(items.get(0), schema.get("maxItems").intValue()))
                        : items;
            }
            default ->
                schema.has("maxLength")
                        ? List.of("x".repeat(schema.get("maxLength").intValue()))
                        : strings(schema.path("examples"));
        };
    }

    private static List<String> refused(Api api, JsonNode schema) {
        if (schema.has("enum")) {
            return List.of("nonsense");
        }
        return switch (schema.path("type").stringValue("")) {
            case "integer" ->
                List.of(
                        Long.toString(schema.get("minimum").longValue() - 1),
                        Long.toString(schema.get("maximum").longValue() + 1),
                        "1.5",
                        "x");
            case "boolean" -> List.of("maybe");
            case "array" -> {
                List<String> refused = new ArrayList<>(refused(api, api.resolve(schema.get("items"))));
                if (schema.has("maxItems")) {
                    refused.add(several("", schema.get("maxItems").intValue() + 1));
                }
                yield refused;
            }
            default ->
                schema.has("maxLength")
                        ? List.of("x".repeat(schema.get("maxLength").intValue() + 1))
                        : schema.path("format").stringValue("").startsWith("date")
                                ? List.of("yesterday", "2026-02-30", "2026-01-31T12:00:00")
                                : List.of();
        };
    }

    private static List<String> refusedText(JsonNode schema) {
        if (schema.has("maxLength")) {
            return List.of("x".repeat(schema.get("maxLength").intValue() + 1));
        }
        boolean isDate = schema.at("/anyOf/0/format").stringValue("").equals("date");
        boolean isCursor = schema.path("format").stringValue("").equals("cursor");
        return isDate
                ? List.of("yesterday", "2026-02-30", "2026-01-31T12:00:00")
                : isCursor ? List.of("x", "x".repeat(4_000)) : List.of();
    }

    /** Different ones, unless one is given. */
    private static String several(String one, int count) {
        List<String> values = new ArrayList<>(Collections.nCopies(count, one));
        for (int i = 0; one.length() != 1 && i < count; i++) {
            values.set(i, one.isEmpty() || one.startsWith("xx") ? "x" + i : one);
        }
        return String.join(",", values);
    }

    private static List<String> strings(JsonNode array) {
        return array.valueStream().map(JsonNode::asString).toList();
    }

    @Override
    public String toString() {
        return operation + " " + parameter + (isAllowed ? " allowed: " : " refused: ")
                + path.substring(0, Math.min(120, path.length()));
    }
}
