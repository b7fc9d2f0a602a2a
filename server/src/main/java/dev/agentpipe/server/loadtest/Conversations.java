package dev.agentpipe.server.loadtest;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The conversations of one run, recognisable by their ids, {@code bench-…}, and their events. A message's id says of which
 * step it is and the how manieth in it: so a stream's reader knows when it was due.
 *
 * <p>Thread-safe.
 */
final class Conversations {

    private static final String CONTENT =
            "A message of the load test: about as long as what an agent says when it agrees"
                    + " with the one before, adds a thought of its own, and hands the word on. Nobody has to read it.\\n\\n"
                    + "- one point\\n- another point, with `code`, \\\"quotes\\\" and ümlauts\\n- a last one";

    private final String run;
    private final int count;

    Conversations(int count) {
        this.count = count;
        run = "bench-" + UUID.randomUUID().toString().substring(0, 8);
    }

    /** The part that all ids begin with. */
    String run() {
        return run;
    }

    int count() {
        return count;
    }

    String id(int conversation) {
        return run + "-c" + conversation;
    }

    List<String> ids() {
        return IntStream.range(0, count).mapToObj(this::id).toList();
    }

    byte[] started(int conversation) {
        ObjectNode event = event("conversation.started", conversation);
        ObjectNode data = ((ObjectNode) event.get("data"))
                .put("mode", "round-robin")
                .put("initial_prompt", "agentpipe-server bench")
                .put("max_turns", 0);
        data.putArray("participants")
                .addObject()
                .put("agent_id", "bench-0")
                .put("agent_type", "bench")
                .put("name", "Bench")
                .put("model", "none");
        return bytes(event.toString());
    }

    byte[] completed(int conversation) {
        ObjectNode event = event("conversation.completed", conversation);
        ((ObjectNode) event.get("data")).put("status", "completed");
        return bytes(event.toString());
    }

    /** Written as text: at thousands a second a tree for each would be the load generator's own limit. */
    byte[] message(int conversation, int step, int index) {
        return bytes(
                "{\"type\":\"message.created\",\"timestamp\":\"" + Instant.now() + "\",\"data\":{\"conversation_id\":\""
                        + id(conversation) + "\",\"message_id\":\"" + run + "-m" + step + "-" + index
                        + "\",\"agent_id\":\"bench-0\",\"agent_type\":\"bench\",\"agent_name\":\"Bench\",\"content\":\""
                        + CONTENT
                        + "\",\"sequence_number\":" + (index / count + 1)
                        + ",\"tokens_used\":90,\"input_tokens\":30,\"output_tokens\":60,\"cost\":0.00045,\"model\":\"none\","
                        + "\"duration_ms\":58}}");
    }

    /** Which message an event of a stream is. */
    record Message(int step, int index) {}

    /** Null if it is no message of this run. */
    Message messageIn(String data) {
        String prefix = run + "-m";
        int at = data.indexOf(prefix);
        if (at < 0) {
            return null;
        }
        int dash = data.indexOf('-', at + prefix.length());
        int end = data.indexOf('"', dash + 1);
        if (dash < 0 || end < 0) {
            return null;
        }
        try {
            return new Message(
                    Integer.parseInt(data, at + prefix.length(), dash, 10), Integer.parseInt(data, dash + 1, end, 10));
        } catch (NumberFormatException notOurs) {
            return null;
        }
    }

    private ObjectNode event(String type, int conversation) {
        ObjectNode event = JsonMapper.shared().createObjectNode();
        event.put("type", type).put("timestamp", Instant.now().toString());
        event.putObject("data").put("conversation_id", id(conversation));
        return event;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
