package dev.agentpipe.server.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.docs.Api.Operation;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Holds a request and its answer against the document: all of it must be there. */
final class AnswerCheck {

    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final String PROBLEM = "application/problem+json";

    /** What HTTP itself puts on an answer; the document says nothing of them. */
    private static final Set<String> HEADERS_OF_HTTP = Set.of(
            "connection", "content-length", "content-type", "date", "transfer-encoding", "cache-control", "vary");

    /** For browsers, on every answer; the document tells that once. */
    private static final Set<String> HEADERS_FOR_BROWSERS = Set.of(
            "content-security-policy", "cross-origin-resource-policy", "referrer-policy", "x-content-type-options");

    /** Of a page, beside these. */
    private static final Set<String> HEADERS_OF_A_PAGE =
            Set.of("cross-origin-opener-policy", "permissions-policy", "x-frame-options");

    private final Api api;

    AnswerCheck(Api api) {
        this.api = api;
    }

    void check(ApiCall call, ApiCall.Answer answer) {
        Operation operation = api.operation(call.operation());
        HttpResponse<?> response = answer.response();
        assertEquals(call.status(), response.statusCode(), () -> call + " gave " + answer.body());
        String at = operation.at() + "/responses/" + response.statusCode();
        assertTrue(!api.document().at(at).isMissingNode(), () -> "not documented: " + call);
        String where = api.resolve(at);

        headers(api.document().at(where + "/headers"), where + "/headers", response);
        body(call, where, answer);
        if (response.statusCode() < 300) {
            request(operation, call);
        }
        parameterNames(operation, call, answer);
    }

    private void headers(JsonNode documented, String at, HttpResponse<?> response) {
        documented.properties().forEach(header -> {
            String where = api.resolve(at + "/" + header.getKey());
            JsonNode node = api.document().at(where);
            List<String> values = response.headers().allValues(header.getKey());
            assertTrue(
                    !values.isEmpty() || !node.path("required").asBoolean(false), () -> "missing " + header.getKey());
            values.forEach(value ->
                    assertFits(api.misfits(where + "/schema", typed(node.get("schema"), value)), value));
        });
        Set<String> names = response.headers().map().keySet();
        assertTrue(names.containsAll(HEADERS_FOR_BROWSERS), () -> "not for browsers: " + names);
        names.forEach(name -> assertTrue(
                HEADERS_OF_HTTP.contains(name)
                        || HEADERS_FOR_BROWSERS.contains(name)
                        || HEADERS_OF_A_PAGE.contains(name)
                        || documented.propertyNames().stream().anyMatch(name::equalsIgnoreCase),
                () -> "a header that is not documented: " + name));
    }

    private void body(ApiCall call, String where, ApiCall.Answer answer) {
        JsonNode contents = api.document().at(where + "/content");
        if (answer.body().isEmpty()) {
            boolean mayBeEmpty = contents.isMissingNode()
                    || answer.response()
                            .headers()
                            .firstValue("Preference-Applied")
                            .isPresent();
            assertTrue(mayBeEmpty, () -> "without a body: " + call);
            return;
        }
        String type = answer.response().headers().firstValue("Content-Type").orElseThrow();
        String mediaType = type.replaceFirst(";.*", "");
        assertTrue(contents.has(mediaType), () -> "a type that is not documented: " + type);
        String schema = where + "/content/" + mediaType.replace("/", "~1") + "/schema";
        if (mediaType.equals("application/json") || mediaType.endsWith("+json")) {
            JsonNode json = JSON.readTree(answer.body());
            assertFits(api.misfitsOfAnswer(schema, json), json);
            problem(call, mediaType, contents, json);
        } else {
            assertFits(api.misfits(schema, JSON.getNodeFactory().stringNode(answer.body())), "the text");
        }
    }

    private void problem(ApiCall call, String mediaType, JsonNode contents, JsonNode json) {
        assertEquals(call.code(), mediaType.equals(PROBLEM) ? json.get("code").stringValue() : null, json::toString);
        if (call.code() != null) {
            JsonNode example = api.resolve(contents.at("/application~1problem+json/examples/" + call.code()));
            assertEquals(example.at("/value/title"), json.get("title"));
        }
    }

    /** What was accepted must be what the document allows. */
    private void request(Operation operation, ApiCall call) {
        if (call.body() == null) {
            return;
        }
        String at =
                operation.at() + "/requestBody/content/" + call.contentType().replace("/", "~1");
        assertTrue(!api.document().at(at).isMissingNode(), () -> "a body that is not documented: " + call);
        JsonNode body = call.contentType().endsWith("ndjson")
                ? JSON.getNodeFactory().stringNode(call.body())
                : JSON.readTree(call.body());
        assertFits(api.misfits(at + "/schema", body), call);
    }

    /** A parameter that is refused by its name must be one that the document has. */
    private void parameterNames(Operation operation, ApiCall call, ApiCall.Answer answer) {
        if (!"invalid_parameter".equals(call.code())) {
            return;
        }
        List<String> known = api.document()
                .at(operation.at() + "/parameters")
                .valueStream()
                .map(parameter -> api.resolve(parameter).get("name").stringValue())
                .toList();
        for (JsonNode error : JSON.readTree(answer.body()).get("errors")) {
            String name = error.get("pointer").stringValue();
            boolean inBody = name.isEmpty() || name.startsWith("/");
            assertTrue(inBody || known.contains(name), () -> "refused, but not documented: " + name);
        }
    }

    /** A header's value as what its schema wants. */
    private static JsonNode typed(JsonNode schema, String value) {
        return schema.path("type").stringValue("").equals("integer")
                ? JSON.readTree(value)
                : JSON.getNodeFactory().stringNode(value);
    }

    private static void assertFits(List<String> misfits, Object what) {
        assertEquals(List.of(), misfits, () -> String.valueOf(what));
    }
}
