package dev.agentpipe.server.docs;

import com.networknt.schema.Error;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The document that a server gives out, as tests look at it: its operations, and whether something fits a schema in it.
 * Answers are held to a stricter copy, in which no object may have a member that is not in the document.
 */
final class Api {

    private static final String OPEN = "https://api.test/open.json";
    private static final String CLOSED = "https://api.test/closed.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** @param at JSON Pointer of the operation */
    record Operation(String method, String path, String at, JsonNode node) {

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    private final JsonNode document;
    private final SchemaRegistry schemas;
    private final Map<String, Operation> operations = new TreeMap<>();

    Api(String json) {
        this.document = JSON.readTree(json);
        JsonNode open = document.deepCopy();
        open.findParents("discriminator").forEach(one -> ((ObjectNode) one).remove("discriminator")); // only a hint
        JsonNode closed = open.deepCopy();
        close(closed);
        this.schemas = SchemaRegistry.withDefaultDialect(
                SpecificationVersion.DRAFT_2020_12,
                builder -> builder.schemas(Map.of(OPEN, open.toString(), CLOSED, closed.toString()))
                        .schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build()));
        document.get("paths")
                .properties()
                .forEach(path -> path.getValue().properties().forEach(one -> {
                    String at = "/paths/" + path.getKey().replace("/", "~1") + "/" + one.getKey();
                    String method = one.getKey().toUpperCase(Locale.ROOT);
                    Operation operation = new Operation(method, path.getKey(), at, one.getValue());
                    operations.put(operation.toString(), operation);
                }));
    }

    /** Whatever lists its members has no others, unless it says so. */
    private static void close(JsonNode node) {
        boolean isObject = node.path("type").stringValue("").equals("object")
                || node.path("type")
                        .valueStream()
                        .anyMatch(type -> type.stringValue("").equals("object"));
        if (isObject && node.get("properties") instanceof ObjectNode && !node.has("additionalProperties")) {
            ((ObjectNode) node).put("additionalProperties", false);
        }
        node.forEach(Api::close);
    }

    JsonNode document() {
        return document;
    }

    List<Operation> operations() {
        return List.copyOf(operations.values());
    }

    /** @param name method and path, such as {@code GET /api/health} */
    Operation operation(String name) {
        if (!operations.containsKey(name)) {
            throw new NoSuchElementException("not in the document: " + name);
        }
        return operations.get(name);
    }

    /** What a reference leads to, if it is one. */
    JsonNode resolve(JsonNode node) {
        JsonNode reference = node.path("$ref");
        return reference.isString()
                ? document.requiredAt(reference.stringValue().substring(1))
                : node;
    }

    /** Pointer of what is there, after a reference. */
    String resolve(String at) {
        JsonNode reference = document.requiredAt(at).path("$ref");
        return reference.isString() ? reference.stringValue().substring(1) : at;
    }

    List<JsonNode> parameters(Operation operation, String in) {
        List<JsonNode> parameters = new ArrayList<>();
        for (JsonNode one : operation.node().path("parameters")) {
            JsonNode parameter = resolve(one);
            if (parameter.get("in").stringValue().equals(in)) {
                parameters.add(parameter);
            }
        }
        return parameters;
    }

    /** @param at JSON Pointer of a schema in the document */
    List<String> misfits(String at, JsonNode value) {
        return misfits(OPEN, at, value);
    }

    /** The same, where members that are not in the document do not fit. */
    List<String> misfitsOfAnswer(String at, JsonNode value) {
        return misfits(CLOSED, at, value);
    }

    private List<String> misfits(String base, String at, JsonNode value) {
        String fragment = at.replace("{", "%7B").replace("}", "%7D");
        return schemas.getSchema(SchemaLocation.of(base + "#" + fragment)).validate(value).stream()
                .map(Error::toString)
                .toList();
    }
}
