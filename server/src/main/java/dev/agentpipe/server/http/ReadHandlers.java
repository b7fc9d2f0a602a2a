package dev.agentpipe.server.http;

import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.StreamId;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;

/**
 * Makes the handlers of GETs of stored data: each checks access, has its {@link Read} look the data up on a thread of
 * {@link Reads}, and answers with an {@code ETag}, or with 304. Thread-safe.
 */
public final class ReadHandlers {

    private final Reads reads;
    private final Access access;
    private final LogTail tail;
    private final String epoch;

    /**
     * @param tail tells which position this node has seen
     * @param epoch of the log
     */
    public ReadHandlers(Reads reads, Access access, LogTail tail, String epoch) {
        this.reads = reads;
        this.access = access;
        this.tail = tail;
        this.epoch = epoch;
    }

    public HttpHandler of(Read read) {
        return exchange -> {
            if (access.allows(exchange, Scope.READ)) {
                reads.answer(exchange, () -> {
                    String place = new StreamId(epoch, tail.seen()).toString(); // before the data
                    Answer answer = read.read(ReadRequest.of(exchange));
                    return () -> answer(exchange, answer, place);
                });
            }
        };
    }

    private static void answer(HttpServerExchange exchange, Answer answer, String place) {
        if (answer instanceof Answer.NotFound notFound) {
            Replies.problem(exchange, Problem.NOT_FOUND, notFound.detail());
            return;
        }
        Answer.Body body = (Answer.Body) answer;
        Replies.stored(exchange, body.json(), body.isPlaced() ? place : null);
    }
}
