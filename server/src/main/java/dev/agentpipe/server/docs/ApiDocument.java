package dev.agentpipe.server.docs;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Puts the OpenAPI document together from its pieces. Each piece has its part of {@code tags}, {@code paths} and {@code
 * components}, in OpenAPI's own words but for three, which spare repetition:
 *
 * <ul>
 *   <li>a {@code description} may be an array of lines;
 *   <li>{@code "problems": […]} in a response, a list of codes, stands for a body {@code application/problem+json} with one
 *       of these codes, its examples, and the headers that come with its status;
 *   <li>{@code X-Request-Id} is added to the headers of each response, and what tells of a limit to each of an operation that may
 *       answer {@code RateLimited}.
 * </ul>
 */
final class ApiDocument {

    /** In the order in which the document tells of them. */
    private static final List<String> PIECES = List.of(
            "openapi",
            "ingest",
            "upload",
            "stream",
            "session",
            "conversations",
            "export",
            "search",
            "metrics",
            "health",
            "admin",
            "documents",
            "problems");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS) // written as they are read
            .build();

    private static final String PROBLEM_BODY = "application/problem+json";
    private static final String REQUEST_ID = "X-Request-Id";

    /** Headers that come with an error of a status, besides the request's id. */
    private static final Map<Integer, String> HEADERS = Map.of(401, "WWW-Authenticate", 503, "Retry-After");

    private static final String RATE_LIMITED = "#/components/responses/RateLimited";
    private static final List<String> RATE_LIMIT = List.of("RateLimit-Policy", "RateLimit");

    private final ObjectNode document = JSON.createObjectNode();

    private ApiDocument(String version) {
        PIECES.forEach(name -> merge(document, read(name), name));
        ((ObjectNode) document.get("info")).put("version", version);
        document.at("/components/responses").properties().forEach(one -> complete((ObjectNode) one.getValue(), true));
        for (JsonNode path : document.get("paths")) {
            for (JsonNode operation : path) {
                boolean isLimited =
                        RATE_LIMITED.equals(operation.at("/responses/429/$ref").stringValue(""));
                operation.path("responses").forEach(response -> complete((ObjectNode) response, isLimited));
            }
        }
        joinLines(document);
    }

    /** The whole document. */
    static ObjectNode of(String version) {
        return new ApiDocument(version).document;
    }

    /** For people to read. */
    static String pretty(JsonNode json) {
        return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json);
    }

    private static ObjectNode read(String name) {
        try (InputStream in = ApiDocument.class.getResourceAsStream("openapi/" + name + ".json")) {
            return (ObjectNode) JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Objects are merged member by member, arrays one after the other; anything else may stand in one piece only. */
    static void merge(ObjectNode into, ObjectNode piece, String where) {
        piece.properties().forEach(member -> {
            String name = member.getKey();
            JsonNode old = into.get(name);
            if (old == null) {
                into.set(name, member.getValue());
            } else if (old instanceof ObjectNode object && member.getValue() instanceof ObjectNode more) {
                merge(object, more, where + "/" + name);
            } else if (old instanceof ArrayNode array && member.getValue() instanceof ArrayNode more) {
                array.addAll(more);
            } else {
                throw new IllegalStateException("in two pieces of the document: " + where + "/" + name);
            }
        });
    }

    /** Spells out what the pieces leave to be added to a response. */
    private void complete(ObjectNode response, boolean isLimited) {
        if (response.has("$ref")) {
            return;
        }
        ObjectNode headers = JSON.createObjectNode();
        JsonNode codes = response.remove("problems");
        if (codes != null) {
            int status = problem(codes.get(0).stringValue()).get("status").intValue();
            if (HEADERS.containsKey(status)) {
                headers.set(HEADERS.get(status), reference("headers/" + HEADERS.get(status)));
            }
            response.withObjectProperty("content").set(PROBLEM_BODY, problems(codes, status));
        }
        headers.setAll(response.path("headers").asObjectOpt().orElseGet(JSON::createObjectNode));
        if (isLimited) {
            RATE_LIMIT.forEach(name -> headers.set(name, reference("headers/" + name)));
        }
        headers.set(REQUEST_ID, reference("headers/" + REQUEST_ID));
        response.set("headers", headers);
    }

    private ObjectNode problems(JsonNode codes, int status) {
        ObjectNode schema = reference("schemas/Problem");
        ObjectNode properties = schema.putObject("properties");
        properties.putObject("status").put("const", status);
        properties.putObject("code").set("enum", codes);
        ObjectNode examples = JSON.createObjectNode();
        for (JsonNode code : codes) {
            if (problem(code.stringValue()).get("status").intValue() != status) {
                throw new IllegalStateException(code + " does not come with the status " + status);
            }
            examples.set(code.stringValue(), reference("examples/" + code.stringValue()));
        }
        ObjectNode content = JSON.createObjectNode();
        content.set("schema", schema);
        content.set("examples", examples);
        return content;
    }

    private JsonNode problem(String code) {
        return document.requiredAt("/components/examples/" + code + "/value");
    }

    private static ObjectNode reference(String component) {
        return JSON.createObjectNode().put("$ref", "#/components/" + component);
    }

    private static void joinLines(JsonNode node) {
        if (node instanceof ObjectNode object && object.get("description") instanceof ArrayNode lines) {
            object.put(
                    "description",
                    lines.valueStream().map(JsonNode::stringValue).collect(Collectors.joining("\n")));
        }
        node.forEach(ApiDocument::joinLines);
    }
}
