package dev.agentpipe.server.export;

import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Conversation;
import dev.agentpipe.db.export.Transcript.Message;
import dev.agentpipe.db.export.Transcript.Reported;
import dev.agentpipe.db.export.Transcript.RetainedEvent;
import java.math.BigDecimal;
import java.time.Instant;

/**
 * The conversation's events, a line each, which can be uploaded again, here or elsewhere: its start, its messages in order, and
 * what else the log retains, byte for byte as it was sent, so that it is recognised. Of start, completion and error what is no
 * longer retained is made anew from what the conversation's row has.
 */
final class JsonLinesFile extends JsonText {

    private final Transcript transcript;
    private final Conversation conversation;
    private boolean hasReport;
    private boolean hasCompletion;
    private boolean hasFailure;

    JsonLinesFile(Transcript transcript) {
        this.transcript = transcript;
        this.conversation = transcript.conversation();
    }

    @Override
    public void begin() {
        if (transcript.start() != null) {
            line(transcript.start());
        } else if (conversation.mode() != null) {
            start();
        }
    }

    private void line(String payload) {
        json.writeRaw(oneLine(payload));
        json.writeRaw('\n');
    }

    private void start() {
        open(EventType.CONVERSATION_STARTED, conversation.startedAt());
        text("mode", conversation.mode());
        text("initial_prompt", conversation.initialPrompt() == null ? "" : conversation.initialPrompt());
        number("max_turns", conversation.maxTurns());
        json.writeName("participants");
        json.writeStartArray();
        for (Participant participant : transcript.participants()) {
            json.writeStartObject();
            text("agent_id", participant.agentId());
            text("agent_type", known(participant.agentType()));
            text("name", participant.name());
            text("model", participant.model());
            text("prompt", participant.prompt());
            text("cli_version", participant.cliVersion());
            json.writeEndObject();
        }
        json.writeEndArray();
        raw("system_info", conversation.systemInfo());
        close();
    }

    private void open(EventType type, Instant at) {
        json.writeStartObject();
        text("type", type.wireName());
        time("timestamp", at);
        json.writeName("data");
        json.writeStartObject();
        text("conversation_id", conversation.id());
    }

    private void close() {
        json.writeEndObject();
        json.writeEndObject();
        json.writeRaw('\n');
    }

    @Override
    public void message(Message message) {
        open(EventType.MESSAGE_CREATED, message.at());
        members(message);
        close();
    }

    @Override
    public boolean hasEvents() {
        return true;
    }

    @Override
    public void event(RetainedEvent event) {
        line(event.payload());
        EventType type = EventType.of(event.type());
        if (type == EventType.CONVERSATION_ERROR) {
            hasFailure |= conversation.failure() != null
                    && event.at().equals(conversation.failure().at());
        } else if (type == EventType.CONVERSATION_COMPLETED || type == EventType.CONVERSATION_INTERRUPTED) {
            hasCompletion |= event.at().equals(conversation.completedAt());
            hasReport |= conversation.reported() != null
                    && event.at().equals(conversation.reported().at());
        }
    }

    @Override
    public void end() {
        if (conversation.failure() != null && !hasFailure) {
            open(EventType.CONVERSATION_ERROR, conversation.failure().at());
            text("error_message", conversation.failure().message());
            text("error_type", conversation.failure().type());
            close();
        }
        Reported reported = conversation.reported();
        if (reported != null && !hasReport) {
            boolean isNewest = reported.at().equals(conversation.completedAt());
            open(EventType.CONVERSATION_COMPLETED, reported.at());
            text("status", isNewest ? conversation.completion() : "completed");
            report(reported);
            close();
            hasCompletion |= isNewest;
        }
        if (conversation.completedAt() != null && !hasCompletion) {
            open(EventType.CONVERSATION_COMPLETED, conversation.completedAt());
            text("status", conversation.completion());
            close();
        }
    }

    private void report(Reported reported) {
        number("total_messages", reported.messages());
        number("total_turns", reported.turns());
        number("total_tokens", reported.tokens());
        number("total_cost", reported.cost());
        number("duration_seconds", reported.durationMs() == null ? null : seconds(reported.durationMs()));
        raw("summary", reported.summary());
    }

    private static BigDecimal seconds(BigDecimal millis) {
        BigDecimal seconds = millis.movePointLeft(3).stripTrailingZeros();
        return seconds.scale() < 0 ? seconds.setScale(0) : seconds;
    }
}
