package dev.agentpipe.server.transfer;

import dev.agentpipe.db.web.WebRow;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Which rows of agentpipe-web's {@code events} are worth moving, and as what. It writes few: errors of conversations, bridges
 * that connected, and {@code conversation.created}, which says nothing that the conversation's row does not say. Messages,
 * starts and completions it keeps as rows of their own alone; should some other program have written such events, the
 * rows say it too.
 */
final class WebEvents {

    static final String ERROR = "conversation.error";

    /** Known to the server, and in no other table. */
    static final List<String> OF_CONVERSATIONS = List.of(ERROR, "error.occurred", "log.entry");

    static final List<String> OF_NONE = List.of("bridge.connected", "bridge.test");

    /** Exact: an event is known again by the digits of its numbers, too. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private WebEvents() {}

    static boolean isError(WebRow event) {
        return event.text("type").equals(ERROR) || event.text("type").equals("error.occurred");
    }

    /**
     * The event as a line. Its time is when agentpipe-web got it, all that is known; so two rows of one event would be two.
     *
     * @param conversation null for an event of none
     */
    static byte[] line(WebRow event, WebRow conversation) {
        ObjectNode data = JSON.createObjectNode();
        if (conversation != null) {
            data.put("conversation_id", conversation.id());
        }
        JsonNode said = event.text("data") == null ? JSON.nullNode() : JSON.readTree(event.text("data"));
        if (said instanceof ObjectNode object) {
            object.properties().forEach(member -> {
                if (!member.getKey().equals("conversation_id")
                        && !member.getValue().isNull()) {
                    data.set(member.getKey(), member.getValue());
                }
            });
        }
        if (isError(event) && !data.has("error_message") && !data.has("error") && event.text("errorMessage") != null) {
            data.put("error_message", event.text("errorMessage"));
        }
        ObjectNode line = JSON.createObjectNode();
        line.put("type", event.text("type"));
        line.put("timestamp", time(event, conversation).toString());
        line.set("data", data);
        return (JSON.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /**
     * An error's time is of agentpipe-web's clock, a completion's of the CLI's. An error that was got over must not come
     * after the end only because the clocks differ.
     */
    private static Instant time(WebRow event, WebRow conversation) {
        Instant at = event.instant("createdAt");
        Instant end = conversation == null ? null : conversation.instant("completedAt");
        return end != null && !"ERROR".equals(conversation.text("status")) && end.isBefore(at) ? end : at;
    }
}
