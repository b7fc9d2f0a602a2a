package dev.agentpipe.server.docs;

import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * One operation of the document.
 *
 * @param document for its references
 * @param node the operation itself
 */
record ApiOperation(JsonNode document, JsonNode node) {

    String id() {
        return node.get("operationId").stringValue();
    }

    /** With references resolved. */
    List<JsonNode> parameters() {
        return node.path("parameters").valueStream().map(this::resolve).toList();
    }

    /** The scope that it needs; empty if it is open. */
    Optional<String> scope() {
        return node.at("/security/0/apiKey/0").stringValueOpt();
    }

    boolean streams() {
        return node.at("/responses/200/content").has("text/event-stream");
    }

    JsonNode resolve(JsonNode value) {
        JsonNode reference = value.path("$ref");
        return reference.isString()
                ? document.requiredAt(reference.stringValue().substring(1))
                : value;
    }
}
