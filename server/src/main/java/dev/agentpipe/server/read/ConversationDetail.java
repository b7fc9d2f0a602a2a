package dev.agentpipe.server.read;

import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.db.conversations.Conversations.Detail;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import dev.agentpipe.server.http.Scope;
import java.util.Map;
import java.util.Optional;

/**
 * {@code GET /api/conversations/{id}}: all of it, with the first {@link ReadLimits#DETAIL_MESSAGES_MAX} messages, or fewer
 * large ones; {@code messagesTruncated} and {@code nextCursor}, for {@code …/messages}, tell of the others.
 */
public final class ConversationDetail implements Read {

    private final Conversations conversations;
    private final Access access;

    public ConversationDetail(Conversations conversations, Access access) {
        this.conversations = conversations;
        this.access = access;
    }

    @Override
    public Answer read(ReadRequest request) {
        String id = request.path("id");
        boolean withMessages = request.parameters().flag("includeMessages", true);
        request.parameters().check();
        int countMax = withMessages ? ReadLimits.DETAIL_MESSAGES_MAX : 0;
        Optional<Detail> found = conversations.find(id, null, 0, countMax, ReadLimits.CONTENT_BYTES_MAX);
        if (found.isEmpty()) {
            return Answer.notFound("There is no such conversation.");
        }
        Detail detail = found.get();
        Map<String, Object> body =
                ConversationBody.full(detail.conversation(), access.has(request.exchange(), Scope.ADMIN));
        if (withMessages) {
            body.put("messages", ConversationBody.messages(detail.messages()));
            body.put("messagesTruncated", detail.isCut());
            body.put("nextCursor", ConversationMessages.nextCursor(id, detail));
        }
        return Answer.withStreamPosition(body);
    }
}
