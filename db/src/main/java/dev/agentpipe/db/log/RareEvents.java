package dev.agentpipe.db.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The details of all events of a batch but messages, as the JSON object that {@code append_events} takes apart: starts,
 * their participants, completions, errors. Arrays of their own, as messages have, would be sent and unpacked for every
 * message, too.
 */
final class RareEvents {

    private static final JsonMapper JSON = JsonMapper.shared();

    private final ObjectNode kinds = JSON.createObjectNode();

    private RareEvents() {}

    /** Null if there are none: most batches. */
    static String toJson(List<Event> events) {
        RareEvents rare = new RareEvents();
        for (int i = 0; i < events.size(); i++) {
            Event event = events.get(i);
            if (event instanceof ConversationStarted started) {
                rare.add(i + 1, started);
            } else if (event instanceof ConversationCompleted completed) {
                rare.add(i + 1, completed);
            } else if (event instanceof ConversationFailed failed) {
                rare.add(i + 1, failed);
            }
        }
        return rare.kinds.isEmpty() ? null : JSON.writeValueAsString(rare.kinds);
    }

    /**
     * {@code system_info} and {@code command} travel as strings: as sent, they may contain an escaped U+0000, which
     * PostgreSQL stores in JSON but refuses to take apart.
     */
    private void add(int ordinal, ConversationStarted started) {
        of("starts", ordinal)
                .put("mode", started.mode())
                .put("initial_prompt", started.initialPrompt())
                .put("max_turns", started.maxTurns())
                .put("system_info", started.systemInfo())
                .put("command", started.command());
        List<Participant> participants = started.participants();
        for (int i = 0; i < participants.size(); i++) {
            Participant participant = participants.get(i);
            of("participants", ordinal)
                    .put("participant", i)
                    .put("agent_id", participant.agentId())
                    .put("agent_type", participant.agentType())
                    .put("name", participant.name())
                    .put("model", participant.model())
                    .put("prompt", participant.prompt())
                    .put("cli_version", participant.cliVersion());
        }
    }

    /** Only if it reports anything; that it closes the conversation is in its {@link StatusOrder}. */
    private void add(int ordinal, ConversationCompleted completed) {
        boolean reports = Stream.of(
                        completed.totalMessages(),
                        completed.totalTurns(),
                        completed.totalTokens(),
                        completed.totalCost(),
                        completed.durationSeconds(),
                        completed.summary())
                .anyMatch(reported -> reported != null);
        if (!reports) {
            return;
        }
        ObjectNode node = of("completions", ordinal)
                .put("total_messages", completed.totalMessages())
                .put("total_turns", completed.totalTurns())
                .put("total_tokens", completed.totalTokens())
                .put("total_cost", completed.totalCost())
                .put("duration_seconds", completed.durationSeconds());
        Summary summary = completed.summary();
        if (summary != null) {
            node.putObject("summary")
                    .put("short_text", summary.shortText())
                    .put("text", summary.text())
                    .put("agent_type", summary.agentType())
                    .put("model", summary.model())
                    .put("input_tokens", summary.inputTokens())
                    .put("output_tokens", summary.outputTokens())
                    .put("total_tokens", summary.totalTokens())
                    .put("cost", summary.cost())
                    .put("duration_ms", summary.durationMs());
        }
    }

    private void add(int ordinal, ConversationFailed failed) {
        of("errors", ordinal).put("error_message", failed.errorMessage()).put("error_type", failed.errorType());
    }

    private ObjectNode of(String kind, int ordinal) {
        ArrayNode nodes = kinds.withArray(kind);
        return nodes.addObject().put("ordinal", ordinal);
    }
}
