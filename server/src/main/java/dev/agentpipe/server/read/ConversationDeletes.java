package dev.agentpipe.server.read;

import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.ReadRequest;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.util.Optional;

/** {@code DELETE /api/conversations/{id}}: answers when nothing of it is left. */
public final class ConversationDeletes implements HttpHandler {

    private final Conversations conversations;
    private final Access access;
    private final Reads reads;
    private final LogTail tail;

    public ConversationDeletes(Conversations conversations, Access access, Reads reads, LogTail tail) {
        this.conversations = conversations;
        this.access = access;
        this.reads = reads;
        this.tail = tail;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (access.allows(exchange, Scope.ADMIN)) {
            reads.answer(exchange, () -> {
                Optional<Long> position = conversations.delete(ReadRequest.path(exchange, "id"));
                position.ifPresent(tail::hint); // what this node has kept is not true any more
                return () -> {
                    if (position.isPresent()) {
                        Replies.empty(exchange, StatusCodes.NO_CONTENT);
                    } else {
                        Replies.problem(exchange, Problem.NOT_FOUND, "There is no such conversation.");
                    }
                };
            });
        }
    }
}
