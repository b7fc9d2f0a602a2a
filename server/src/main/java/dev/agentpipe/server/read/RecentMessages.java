package dev.agentpipe.server.read;

import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code GET /api/messages/recent}: what was said last, in conversations of one status. */
public final class RecentMessages implements Read {

    private static final Map<String, String> STATUSES = new LinkedHashMap<>();

    static {
        ConversationList.STATUSES.forEach(status -> STATUSES.put(status, status));
    }

    private final Conversations conversations;

    public RecentMessages(Conversations conversations) {
        this.conversations = conversations;
    }

    @Override
    public Answer read(ReadRequest request) {
        int limit = request.parameters().integer("limit", ReadLimits.RECENT_DEFAULT, 1, ReadLimits.RECENT_MAX);
        String status = request.parameters().choice("status", STATUSES, "ACTIVE");
        request.parameters().check();
        List<Map<String, Object>> messages = conversations.recent(status, limit, ReadLimits.CONTENT_BYTES_MAX).stream()
                .map(recent -> ConversationBody.message(recent.message(), recent.conversation()))
                .toList();
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("messages", messages);
        body.put("count", messages.size());
        return Answer.withStreamPosition(body);
    }
}
