package dev.agentpipe.server.read;

import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.db.conversations.Conversations.Detail;
import dev.agentpipe.db.conversations.MessagePlace;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.QueryParameters;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** {@code GET /api/conversations/{id}/messages}: by pages or by a cursor, in the order in which the conversation was held. */
public final class ConversationMessages implements Read {

    private final Conversations conversations;

    public ConversationMessages(Conversations conversations) {
        this.conversations = conversations;
    }

    @Override
    public Answer read(ReadRequest request) {
        QueryParameters parameters = request.parameters();
        String id = request.path("id");
        int limit = parameters.integer("limit", ReadLimits.MESSAGES_DEFAULT, 1, ReadLimits.MESSAGES_MAX);
        Optional<String> cursor = parameters.text("cursor", ReadLimits.CURSOR_CHARS_MAX);
        MessagePlace after = cursor.flatMap(given -> Cursor.place(question(id), given))
                .map(ConversationMessages::toPlace)
                .orElse(null);
        if (cursor.isPresent() && after == null) {
            parameters.violation("cursor", "the nextCursor of an answer about the same conversation");
        }
        int page = ConversationList.page(parameters, limit, ReadLimits.MESSAGES_OFFSET_MAX, cursor.isPresent());
        parameters.check();

        Optional<Detail> found = conversations.find(id, after, (page - 1) * limit, limit, ReadLimits.CONTENT_BYTES_MAX);
        if (found.isEmpty()) {
            return Answer.notFound("There is no such conversation.");
        }
        Detail detail = found.get();
        long total = detail.conversation().messageCount();
        Map<String, Object> pagination = new LinkedHashMap<>();
        pagination.put("page", after == null ? page : null);
        pagination.put("limit", limit);
        pagination.put("total", total);
        pagination.put("pages", (total + limit - 1) / limit);
        pagination.put("truncated", detail.isCut() && detail.messages().size() < limit);
        pagination.put("nextCursor", nextCursor(id, detail));
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("data", ConversationBody.messages(detail.messages()));
        body.put("pagination", pagination);
        return Answer.withStreamPosition(body);
    }

    /** Null after the last message. */
    static String nextCursor(String id, Detail detail) {
        if (!detail.isCut()) {
            return null;
        }
        MessagePlace last = detail.messages().get(detail.messages().size() - 1).place();
        return Cursor.of(question(id), last.sequence() + " " + last.atMicros() + " " + last.position());
    }

    private static String question(String id) {
        return "messages " + id;
    }

    private static MessagePlace toPlace(String place) {
        String[] parts = place.split(" ", -1);
        return new MessagePlace(Long.parseLong(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
    }
}
