package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.Notice;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** The server's own event {@code session.uploaded}: it stands in the log for everything that one session brought. */
public final class SessionUploaded {

    private SessionUploaded() {}

    /** @param data what it tells besides the conversation: counts */
    public static Notice of(String conversationId, Instant at, Map<String, Integer> data) {
        long atMicros = Timestamps.epochMicros(at);
        Map<String, Object> allData = new LinkedHashMap<>();
        allData.put("conversation_id", conversationId);
        allData.putAll(data);
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("type", EventType.SESSION_UPLOADED.wireName());
        event.put("timestamp", Timestamps.format(atMicros));
        event.put("data", allData);
        byte[] payload = JsonMapper.shared().writeValueAsBytes(event);
        byte[] identity = Identity.of(EventType.SESSION_UPLOADED, conversationId, atMicros, payload);
        return new Notice(new Envelope(EventType.SESSION_UPLOADED, conversationId, atMicros, identity, payload));
    }
}
