package dev.agentpipe.server.smoke;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.UUID;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The events of a conversation that is recognisable by its id, {@code smoke-…}. Times are those of an order that the checks
 * do not keep when they send: the completion is the newest, so that the conversation ends completed.
 */
final class SmokeConversation {

    /** The completion comes this long after the start. */
    private static final int LENGTH_SECONDS = 60;

    private final String id = "smoke-" + UUID.randomUUID();
    private final Instant start = Instant.now().truncatedTo(ChronoUnit.MICROS).minusSeconds(LENGTH_SECONDS);

    String id() {
        return id;
    }

    ObjectNode bridgeTest() {
        ObjectNode event = JsonMapper.shared().createObjectNode();
        event.put("type", "bridge.test").put("timestamp", Instant.now().toString());
        event.putObject("data").put("message", "agentpipe-server smoke").put("smoke_id", id);
        return event;
    }

    /** With a {@code command}, which is private: it is no part of what a stream gets. */
    ObjectNode started() {
        ObjectNode event = event("conversation.started", 0);
        ObjectNode data = data(event).put("mode", "round-robin").put("initial_prompt", "Is anybody there?");
        data.put("max_turns", 2);
        data.putArray("participants").add(participant("smoke-0", "Ann")).add(participant("smoke-1", "Bob"));
        data.putObject("command").put("full_command", "agentpipe-server smoke");
        return event;
    }

    /** @param number from 1; at most one less than the conversation has seconds */
    ObjectNode message(int number) {
        ObjectNode event = event("message.created", number);
        data(event)
                .put("message_id", id + "-" + number)
                .put("agent_id", "smoke-" + number % 2)
                .put("agent_type", "smoke")
                .put("agent_name", number % 2 == 0 ? "Ann" : "Bob")
                .put(
                        "content",
                        "Message " + number + "\nof lines,\r\ttabs, \u2028 ümlauts, \ud83d\ude00 and \"quotes\"")
                .put("sequence_number", number)
                .put("turn_number", number)
                .put("model", "none")
                .put("tokens_used", 30L)
                .put("input_tokens", 10L)
                .put("output_tokens", 20L)
                .put("cost", 0.000125)
                .put("duration_ms", 40L);
        return event;
    }

    ObjectNode logEntry(int second) {
        ObjectNode event = event("log.entry", second);
        data(event).put("level", "info").put("role", "system").put("content", "A log entry");
        return event;
    }

    ObjectNode completed() {
        ObjectNode event = event("conversation.completed", LENGTH_SECONDS);
        data(event)
                .put("status", "completed")
                .put("total_messages", 5)
                .put("total_turns", 5)
                .put("total_tokens", 150L)
                .put("total_cost", 0.000625)
                .put("duration_seconds", (double) LENGTH_SECONDS);
        return event;
    }

    /** A message without its agent's type: the error must point to it. */
    ObjectNode malformed() {
        ObjectNode event = message(LENGTH_SECONDS - 1);
        data(event).remove("agent_type");
        return event;
    }

    private ObjectNode event(String type, int second) {
        ObjectNode event = JsonMapper.shared().createObjectNode();
        event.put("type", type).put("timestamp", start.plusSeconds(second).toString());
        event.putObject("data").put("conversation_id", id);
        return event;
    }

    private static ObjectNode data(ObjectNode event) {
        return (ObjectNode) event.get("data");
    }

    private static ObjectNode participant(String agentId, String name) {
        return JsonMapper.shared()
                .createObjectNode()
                .put("agent_id", agentId)
                .put("agent_type", "smoke")
                .put("name", name)
                .put("model", "none");
    }
}
