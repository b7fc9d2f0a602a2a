package dev.agentpipe.server.docs;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.JsonNode;

/**
 * The command lines of an operation: one for each example of a body, else one. Parameters are those that have an example.
 * They are made from the document, so they are as true as it is.
 */
record CurlExample(String title, String command) {

    private static final String URL = "$AGENTPIPE_STREAM_URL";
    private static final String NEXT_LINE = " \\\n  ";

    static List<CurlExample> of(String path, String method, ApiOperation operation) {
        List<CurlExample> examples = new ArrayList<>();
        JsonNode bodies = operation.node().at("/requestBody/content");
        bodies.properties()
                .forEach(body -> body.getValue()
                        .path("examples")
                        .forEach(example -> examples.add(new CurlExample(
                                example.path("summary").asString(""),
                                line(path, method, operation) + body(body.getKey(), example.get("value"))))));
        if (bodies.isMissingNode()) {
            examples.add(new CurlExample("", line(path, method, operation)));
        }
        return examples;
    }

    private static String line(String path, String method, ApiOperation operation) {
        String url = path;
        List<String> query = new ArrayList<>();
        for (JsonNode parameter : operation.parameters()) {
            JsonNode example = parameter.path("example");
            String name = parameter.get("name").stringValue();
            switch (parameter.get("in").stringValue()) {
                case "path" -> url = url.replace("{" + name + "}", encoded(example));
                case "query" -> {
                    if (!example.isMissingNode()) {
                        query.add(name + "=" + encoded(example));
                    }
                }
                default -> {}
            }
        }
        StringBuilder line = new StringBuilder("curl ");
        if (operation.streams()) {
            line.append("-N ");
        }
        boolean isDefault = method.equals(operation.node().path("requestBody").isMissingNode() ? "get" : "post");
        if (!isDefault) {
            line.append("-X ").append(method.toUpperCase(Locale.ROOT)).append(' ');
        }
        line.append('"').append(URL).append(url);
        line.append(query.isEmpty() ? "" : "?" + String.join("&", query)).append('"');
        operation
                .scope()
                .ifPresent(scope -> line.append(NEXT_LINE)
                        .append("-H \"Authorization: Bearer $")
                        .append(scope.equals("admin") ? "AGENTPIPE_ADMIN_API_KEY" : "AGENTPIPE_STREAM_API_KEY")
                        .append('"'));
        return line.toString();
    }

    /** Values of a list with commas between them. */
    private static String encoded(JsonNode example) {
        if (example.isArray()) {
            return String.join(
                    ",", example.valueStream().map(CurlExample::encoded).toList());
        }
        return URLEncoder.encode(example.asString(), StandardCharsets.UTF_8).replace("+", "%20");
    }

    private static String body(String type, JsonNode value) {
        String text = value.isString() ? value.stringValue() : ApiDocument.pretty(value);
        return NEXT_LINE + "-H 'Content-Type: " + type + "'" + NEXT_LINE + "--data-binary '"
                + text.strip().replace("'", "'\\''") + "'";
    }
}
