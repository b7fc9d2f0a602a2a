package dev.agentpipe.server.export;

import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Conversation;
import dev.agentpipe.db.export.Transcript.Message;

/**
 * One JSON object that {@code POST /api/sessions/upload} takes, with agentpipe-web's members beside those that it needs: whoever
 * reads one of the two finds its own.
 */
final class JsonFile extends JsonText {

    private final Transcript transcript;

    JsonFile(Transcript transcript) {
        this.transcript = transcript;
    }

    @Override
    public void begin() {
        Conversation conversation = transcript.conversation();
        json.writeStartObject();
        overview(conversation);
        json.writeName("conversation");
        session(conversation);
        json.writeName("agents");
        json.writeStartArray();
        transcript.participants().forEach(this::agent);
        json.writeEndArray();
        json.writeName("participants");
        json.writeStartArray();
        for (Participant participant : transcript.participants()) {
            json.writeStartObject();
            text("agentId", participant.agentId());
            text("agentName", participant.name());
            text("agentType", participant.agentType());
            text("model", participant.model());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeName("messages");
        json.writeStartArray();
    }

    /** As agentpipe-web has it. */
    private void overview(Conversation conversation) {
        text("id", conversation.id());
        text("title", Titles.of(conversation));
        text("status", conversation.status());
        text("source", conversation.source());
        time("createdAt", conversation.createdAt());
        time("startedAt", conversation.startedAt());
        time("completedAt", conversation.completedAt());
        number("totalMessages", conversation.totals().messages());
        number("totalTokens", conversation.totals().tokens());
        number("totalCost", conversation.totals().cost());
        number("totalDuration", conversation.totals().durationMs());
        text("summaryText", Titles.summaryOf(conversation));
    }

    private void session(Conversation conversation) {
        json.writeStartObject();
        text("id", conversation.id());
        text("name", Titles.of(conversation));
        text("mode", conversation.mode() == null ? UNKNOWN : conversation.mode());
        text("initial_prompt", conversation.initialPrompt() == null ? "" : conversation.initialPrompt());
        number("max_turns", conversation.maxTurns());
        time("started_at", conversation.startedAt());
        text("status", conversation.status());
        time("completed_at", conversation.completedAt());
        text("source", conversation.source());
        if (conversation.reported() != null) { // what was only counted is counted again
            number("total_messages", conversation.reported().messages());
            number("total_tokens", conversation.reported().tokens());
            number("total_cost", conversation.reported().cost());
            number("total_duration", conversation.reported().durationMs());
            number("total_turns", conversation.reported().turns());
            raw("summary", conversation.reported().summary());
        }
        if (conversation.failure() != null) {
            text("error_message", conversation.failure().message());
            text("error_type", conversation.failure().type());
        }
        raw("system_info", conversation.systemInfo());
        raw("metadata", conversation.metadata());
        json.writeEndObject();
    }

    private void agent(Participant participant) {
        json.writeStartObject();
        text("agent_id", participant.agentId());
        text("agent_type", known(participant.agentType()));
        text("agent_name", participant.name() == null ? "" : participant.name());
        text("model", participant.model());
        text("prompt", participant.prompt());
        text("cli_version", participant.cliVersion());
        json.writeEndObject();
    }

    @Override
    public void message(Message message) {
        json.writeStartObject();
        members(message);
        if (message.agentName() == null) {
            text("agent_name", ""); // which an upload requires
        }
        time("timestamp", message.at());
        // As agentpipe-web has it.
        text("agentId", message.agentId());
        text("agentName", message.agentName());
        text("agentType", message.agentType());
        number("inputTokens", message.inputTokens());
        number("outputTokens", message.outputTokens());
        number("totalTokens", message.totalTokens());
        number("duration", message.durationMs());
        json.writeEndObject();
    }

    @Override
    public void end() {
        json.writeEndArray();
        json.writeEndObject();
    }
}
