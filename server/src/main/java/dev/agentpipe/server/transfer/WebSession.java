package dev.agentpipe.server.transfer;

import dev.agentpipe.db.web.WebRow;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.util.RawValue;

/**
 * A conversation of agentpipe-web in the words of an upload.
 *
 * <p>agentpipe-web keeps the ids of conversations and messages that the CLI gave, so what came live to both servers, or
 * lies in an event file too, is known as the same by its id. Three things it changed, and they are changed back:
 *
 * <ul>
 *   <li>A message's {@code agentId} became {@code <conversation>-<agent type>}, which is none of its participants' ids
 *       since CLIs send those. The participant of that type, and name if there are several, is the one.
 *   <li>Participants of older CLIs, which had no ids, got such ids too. They get what this server gives in that case.
 *   <li>Totals grow with the messages until a completion reports them. Of a conversation that is open they are only a
 *       sum, which the server makes itself; reported, it would stay as it is.
 * </ul>
 *
 * <p>Numbers that are none (NaN, below zero) are left out, and told. What has no place of its own in an upload goes into a
 * member {@code agentpipe_web}, which the server keeps in the conversation's metadata. One thread at a time.
 */
final class WebSession {

    /** As numeric columns and JSON of the server have it. */
    private static final double DECIMAL_BELOW = 1e15;

    private static final Set<String> SOURCES = Set.of("web", "cli-stream", "cli-upload");
    private static final Set<String> SUMMARY_MEMBERS = Set.of(
            "short_text",
            "text",
            "agent_type",
            "model",
            "input_tokens",
            "output_tokens",
            "total_tokens",
            "cost",
            "duration_ms");

    private static final JsonMapper JSON = JsonMapper.shared();

    private final WebRow conversation;
    private final List<WebRow> participants;
    private final boolean errorsAreEvents;
    private final Consumer<String> leftOut;
    private final Map<String, String> agentIds = new HashMap<>();
    private final byte[] agents;
    private byte[] openHead;
    private byte[] lastHead;

    /**
     * @param errorsAreEvents whether its errors go to the server as events, and so not as part of it
     * @param leftOut is told of each value that cannot be stored
     */
    WebSession(WebRow conversation, List<WebRow> participants, boolean errorsAreEvents, Consumer<String> leftOut) {
        this.conversation = conversation;
        this.participants = participants;
        this.errorsAreEvents = errorsAreEvents;
        this.leftOut = leftOut;
        Set<String> taken = new HashSet<>();
        participants.forEach(one -> taken.add(one.text("agentId")));
        for (int i = 0; i < participants.size(); i++) {
            String id = participants.get(i).text("agentId");
            String type = participants.get(i).text("agentType");
            String usual = type + "-" + i;
            agentIds.put(id, id.equals(madeUp(type)) && taken.add(usual) ? usual : id);
        }
        agents = agents();
    }

    String id() {
        return conversation.id();
    }

    /**
     * @param isLast whether no messages follow: the end of a conversation is told only then, since what is said after it
     *     would open the conversation again
     */
    Piece piece(List<WebRow> messages, boolean isLast) {
        Piece.Builder piece = new Piece.Builder(false, 1);
        piece.add("{\"conversation\":")
                .add(isLast ? last() : open())
                .add(",\"agents\":")
                .add(agents);
        piece.add(",\"messages\":[");
        for (int i = 0; i < messages.size(); i++) {
            piece.add(i == 0 ? "" : ",").add(JSON.writeValueAsBytes(message(messages.get(i))));
        }
        return piece.add("]}").build();
    }

    private byte[] open() {
        if (openHead == null) {
            openHead = JSON.writeValueAsBytes(start().put("status", "ACTIVE"));
        }
        return openHead;
    }

    private byte[] last() {
        if (lastHead == null) {
            ObjectNode json = start();
            addEnd(json);
            lastHead = JSON.writeValueAsBytes(json);
        }
        return lastHead;
    }

    private ObjectNode start() {
        ObjectNode json = JSON.createObjectNode();
        put(json, "id", conversation.id());
        put(json, "name", conversation.text("name"));
        put(json, "mode", conversation.text("mode"));
        put(json, "initial_prompt", conversation.text("initialPrompt"));
        put(json, "started_at", conversation.instant("startedAt"));
        put(json, "created_at", conversation.instant("createdAt"));
        if (conversation.number("maxTurns") != null) {
            json.put("max_turns", conversation.number("maxTurns")); // negative: no limit, as CLIs send it
        }
        if (SOURCES.contains(String.valueOf(conversation.text("source")))) {
            put(json, "source", conversation.text("source"));
        }
        ObjectNode system = JSON.createObjectNode();
        put(system, "agentpipe_version", conversation.text("agentpipeVersion"));
        put(system, "os", conversation.text("systemOS"));
        put(system, "os_version", conversation.text("systemOSVersion"));
        put(system, "go_version", conversation.text("systemGoVersion"));
        put(system, "architecture", conversation.text("systemArchitecture"));
        if (!system.isEmpty()) {
            json.set("system_info", system);
        }
        String metadata = conversation.text("metadata");
        if (isObject(metadata)) {
            json.putRawValue("metadata", new RawValue(metadata));
        }
        ObjectNode others = others();
        if (!others.isEmpty()) {
            json.set("agentpipe_web", others);
        }
        return json;
    }

    /** What an upload has no members for. */
    private ObjectNode others() {
        ObjectNode others = JSON.createObjectNode();
        put(others, "container_id", conversation.text("containerId"));
        put(others, "container_status", conversation.text("containerStatus"));
        put(others, "error_stack", conversation.text("errorStack"));
        put(others, "summary_generated_at", conversation.instant("summaryGeneratedAt"));
        String source = conversation.text("source");
        if (source != null && !SOURCES.contains(source)) {
            others.put("source", source);
        }
        String metadata = conversation.text("metadata");
        if (metadata != null && !isObject(metadata) && !metadata.equals("{}") && !metadata.equals("null")) {
            others.putRawValue("metadata", new RawValue(metadata));
        }
        ObjectNode summary = summary();
        if (summary != null && !SUMMARY_MEMBERS.containsAll(new HashSet<>(summary.propertyNames()))) {
            others.putRawValue("summary_data", new RawValue(conversation.text("summaryData")));
        }
        ObjectNode ofAgents = JSON.createObjectNode();
        for (WebRow participant : participants) {
            ObjectNode agent = JSON.createObjectNode();
            put(agent, "agent_version", participant.text("agentVersion"));
            put(agent, "announcement", participant.text("announcement"));
            if (isObject(participant.text("settings"))) {
                agent.putRawValue("settings", new RawValue(participant.text("settings")));
            }
            if (!agent.isEmpty()) {
                ofAgents.set(agentIds.get(participant.text("agentId")), agent);
            }
        }
        if (!ofAgents.isEmpty()) {
            others.set("agents", ofAgents);
        }
        return others;
    }

    private void addEnd(ObjectNode json) {
        String status = conversation.text("status");
        put(json, "status", status);
        put(json, "completed_at", conversation.instant("completedAt"));
        if (!errorsAreEvents) {
            put(json, "error_message", conversation.text("errorMessage"));
        }
        if (!"ACTIVE".equals(status)) {
            putCount(json, "total_messages", conversation, "totalMessages");
            putCount(json, "total_tokens", conversation, "totalTokens");
            putDecimal(json, "total_cost", conversation, "totalCost");
            putCount(json, "total_duration", conversation, "totalDuration");
        }
        if (conversation.text("summaryText") != null) {
            ObjectNode summary = JSON.createObjectNode();
            ObjectNode whole = summary();
            if (whole != null && whole.path("short_text").isString()) {
                summary.put("short_text", whole.path("short_text").asString());
            }
            put(summary, "text", conversation.text("summaryText"));
            put(summary, "agent_type", conversation.text("summaryAgentType"));
            put(summary, "model", conversation.text("summaryModel"));
            putCount(summary, "input_tokens", conversation, "summaryInputTokens");
            putCount(summary, "output_tokens", conversation, "summaryOutputTokens");
            putCount(summary, "total_tokens", conversation, "summaryTotalTokens");
            putDecimal(summary, "cost", conversation, "summaryCost");
            putCount(summary, "duration_ms", conversation, "summaryDuration");
            json.set("summary", summary);
        }
    }

    /** The summary as it came; null if there is none that can be read. */
    private ObjectNode summary() {
        String text = conversation.text("summaryData");
        return isObject(text) ? (ObjectNode) JSON.readTree(text) : null;
    }

    private byte[] agents() {
        ArrayNode all = JSON.createArrayNode();
        for (WebRow participant : participants) {
            ObjectNode agent = all.addObject();
            put(agent, "agent_id", agentIds.get(participant.text("agentId")));
            put(agent, "agent_type", participant.text("agentType"));
            put(agent, "agent_name", participant.text("agentName"));
            put(agent, "model", participant.text("model"));
            put(agent, "prompt", participant.text("prompt"));
            put(agent, "cli_version", participant.text("cliVersion"));
        }
        return JSON.writeValueAsBytes(all);
    }

    private ObjectNode message(WebRow row) {
        ObjectNode json = JSON.createObjectNode();
        put(json, "message_id", row.id());
        put(json, "agent_id", agentIdOf(row));
        put(json, "agent_type", row.text("agentType"));
        put(json, "agent_name", row.text("agentName"));
        put(json, "role", row.text("role"));
        put(json, "content", row.text("content"));
        put(json, "timestamp", row.instant("timestamp"));
        put(json, "model", row.text("model"));
        putCount(json, "sequence_number", row, "sequenceNumber");
        putCount(json, "turn_number", row, "turnNumber");
        putCount(json, "tokens_used", row, "totalTokens");
        putCount(json, "input_tokens", row, "inputTokens");
        putCount(json, "output_tokens", row, "outputTokens");
        putDecimal(json, "cost", row, "cost");
        putCount(json, "duration_ms", row, "duration");
        return json;
    }

    /** Null if nobody knows. */
    private String agentIdOf(WebRow message) {
        String id = message.text("agentId");
        String type = message.text("agentType");
        if (id != null && agentIds.containsKey(id)) {
            return agentIds.get(id);
        }
        if (id != null && !id.equals(madeUp(type))) {
            return id;
        }
        List<WebRow> ofType = new ArrayList<>(participants);
        ofType.removeIf(one -> !one.text("agentType").equals(type));
        if (ofType.size() > 1) {
            ofType.removeIf(one -> !one.text("agentName").equals(message.text("agentName")));
        }
        return ofType.size() == 1 ? agentIds.get(ofType.get(0).text("agentId")) : null;
    }

    /** What agentpipe-web makes of an agent whose id it does not know, or does not use. */
    private String madeUp(String agentType) {
        return conversation.id() + "-" + agentType;
    }

    private static boolean isObject(String json) {
        return json != null && json.startsWith("{") && !json.equals("{}");
    }

    private static void put(ObjectNode json, String name, String value) {
        if (value != null) {
            json.put(name, value);
        }
    }

    private static void put(ObjectNode json, String name, Instant value) {
        if (value != null) {
            json.put(name, value.toString());
        }
    }

    private void putCount(ObjectNode json, String name, WebRow row, String column) {
        Long value = row.number(column);
        if (value != null && value >= 0) {
            json.put(name, value);
        } else if (value != null) {
            leftOut.accept(row.id() + ": " + column + " " + value);
        }
    }

    /** In the digits that make the same float again: those that were sent. */
    private void putDecimal(ObjectNode json, String name, WebRow row, String column) {
        Double value = row.decimal(column);
        if (value != null && value >= 0 && value < DECIMAL_BELOW) {
            json.put(name, BigDecimal.valueOf(value));
        } else if (value != null) {
            leftOut.accept(row.id() + ": " + column + " " + value);
        }
    }
}
