package dev.agentpipe.server.read;

import dev.agentpipe.db.conversations.Conversation;
import dev.agentpipe.db.conversations.Conversation.Participant;
import dev.agentpipe.db.conversations.Message;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;
import tools.jackson.databind.util.RawValue;

/**
 * Conversations and messages as the read API shows them: agentpipe-web's names, and what is stored beyond that. What is not
 * known is null.
 */
final class ConversationBody {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /** What a message without a role is: the CLI sends none with those of agents. */
    private static final String AGENT = "agent";

    private ConversationBody() {}

    static Map<String, Object> listed(Conversation conversation) {
        Map<String, Object> body = head(conversation);
        body.put(
                "participants",
                conversation.participants().stream()
                        .map(participant -> {
                            Map<String, Object> shown = new LinkedHashMap<>();
                            shown.put("agentType", participant.agentType());
                            shown.put("agentName", participant.agentName());
                            shown.put("agentId", participant.agentId());
                            shown.put("model", participant.model());
                            return shown;
                        })
                        .toList());
        return body;
    }

    /** @param withCommand whether whoever asks may see the user's command line */
    static Map<String, Object> full(Conversation conversation, boolean withCommand) {
        Map<String, Object> body = head(conversation);
        body.put("totalTurns", conversation.totalTurns());
        body.put("metadata", raw(conversation.metadata()));
        JsonNode system = tree(conversation.systemInfo());
        body.put("agentpipeVersion", text(system, "agentpipe_version"));
        body.put("systemOS", text(system, "os"));
        body.put("systemOSVersion", text(system, "os_version"));
        body.put("systemGoVersion", text(system, "go_version"));
        body.put("systemArchitecture", text(system, system.has("architecture") ? "architecture" : "arch"));
        body.put("systemInfo", raw(conversation.systemInfo()));
        JsonNode summary = tree(conversation.summary());
        body.put("summaryInputTokens", number(summary, "input_tokens"));
        body.put("summaryOutputTokens", number(summary, "output_tokens"));
        body.put("summaryTotalTokens", number(summary, "total_tokens"));
        body.put("summaryCost", number(summary, "cost"));
        body.put("summaryDuration", number(summary, "duration_ms"));
        body.put("summaryGeneratedAt", conversation.summarizedAt());
        body.put("summaryData", raw(conversation.summary()));
        if (withCommand) {
            body.put("command", raw(conversation.command()));
        }
        body.put(
                "participants",
                conversation.participants().stream()
                        .map(ConversationBody::participant)
                        .toList());
        return body;
    }

    private static Map<String, Object> head(Conversation conversation) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("id", conversation.id());
        body.put("name", conversation.title());
        body.put("mode", conversation.mode());
        body.put("status", conversation.status());
        body.put("source", conversation.source());
        body.put("startedAt", conversation.startedAt());
        body.put("completedAt", conversation.completedAt());
        body.put("createdAt", conversation.createdAt());
        body.put("updatedAt", conversation.updatedAt());
        body.put("initialPrompt", conversation.initialPrompt());
        body.put("maxTurns", conversation.maxTurns());
        JsonNode summary = tree(conversation.summary());
        body.put("summaryText", conversation.summaryText());
        body.put("summaryShortText", conversation.summaryShortText());
        body.put("summaryAgentType", text(summary, "agent_type"));
        body.put("summaryModel", text(summary, "model"));
        body.put("totalMessages", conversation.totalMessages());
        body.put("totalTokens", conversation.totalTokens());
        body.put("totalCost", conversation.totalCost());
        body.put("totalDuration", millis(conversation.totalDurationMs()));
        body.put("messageCount", conversation.messageCount());
        body.put("errorMessage", conversation.errorMessage());
        body.put("errorType", conversation.errorType());
        body.put("errorCount", conversation.errorCount());
        return body;
    }

    private static Map<String, Object> participant(Participant participant) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("agentId", participant.agentId());
        body.put("agentType", participant.agentType());
        body.put("agentName", participant.agentName());
        body.put("model", participant.model());
        body.put("prompt", participant.prompt());
        body.put("cliVersion", participant.cliVersion());
        return body;
    }

    static Map<String, Object> message(Message message) {
        return addTo(new LinkedHashMap<>(), message);
    }

    /** A message among those of other conversations. */
    static Map<String, Object> message(Message message, Conversation conversation) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("conversationId", conversation.id());
        body.put("conversationName", conversation.title());
        body.put("conversationStatus", conversation.status());
        return addTo(body, message);
    }

    static List<Map<String, Object>> messages(List<Message> messages) {
        return messages.stream().map(ConversationBody::message).toList();
    }

    private static Map<String, Object> addTo(Map<String, Object> body, Message message) {
        body.put("id", message.id());
        body.put("agentId", message.agentId());
        body.put("agentName", message.agentName());
        body.put("agentType", message.agentType());
        body.put("content", message.content());
        body.put("role", message.role() != null ? message.role() : AGENT);
        body.put("timestamp", message.at());
        body.put("sequenceNumber", message.sequenceNumber());
        body.put("turnNumber", message.turnNumber());
        body.put("duration", message.durationMs());
        body.put("inputTokens", message.inputTokens());
        body.put("outputTokens", message.outputTokens());
        body.put("totalTokens", message.totalTokens());
        body.put("model", message.model());
        body.put("cost", message.cost());
        return body;
    }

    private static BigDecimal millis(BigDecimal millis) {
        return millis.setScale(0, RoundingMode.HALF_UP);
    }

    private static RawValue raw(String json) {
        return json == null ? null : new RawValue(json);
    }

    private static JsonNode tree(String json) {
        try {
            return json == null ? MissingNode.getInstance() : JSON.readTree(json);
        } catch (JacksonException e) {
            return MissingNode.getInstance(); // another program's, stricter here than in PostgreSQL
        }
    }

    private static String text(JsonNode object, String name) {
        return object.path(name).stringValue(null);
    }

    private static BigDecimal number(JsonNode object, String name) {
        JsonNode value = object.path(name);
        return value.isNumber() ? value.decimalValue() : null;
    }
}
