package dev.agentpipe.server.http;

import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.server.cache.CachedAnswer;
import dev.agentpipe.server.cache.ResponseCache;
import dev.agentpipe.server.cache.ResponseCache.Question;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import java.util.Optional;

/**
 * Makes the handlers of GETs of stored data. Each checks access, gives what the cache has, else has its {@link Read} look
 * the data up on a thread of {@link Reads}, and answers with an {@code ETag}, or with 304. Thread-safe.
 */
public final class ReadHandlers {

    private final Reads reads;
    private final Access access;
    private final ResponseCache cache;
    private final LogTail tail;
    private final String epoch;

    /** What an answer depends on, and so for how long it is true. */
    private enum Of {
        /** The conversation that the path names as {@code id}: until that is touched. */
        CONVERSATION,
        /** Anything that is stored: until there is anything new. */
        ALL,
        /** More than what is stored. */
        MOMENT
    }

    /**
     * @param tail tells which position this node has seen
     * @param epoch of the log
     */
    public ReadHandlers(Reads reads, Access access, ResponseCache cache, LogTail tail, String epoch) {
        this.reads = reads;
        this.access = access;
        this.cache = cache;
        this.tail = tail;
        this.epoch = epoch;
    }

    /** For an answer that any new event may change. */
    public HttpHandler of(Read read) {
        return exchange -> answer(exchange, read, Of.ALL);
    }

    /** For an answer that only events of one conversation change, the one that the path names as {@code id}. */
    public HttpHandler ofConversation(Read read) {
        return exchange -> answer(exchange, read, Of.CONVERSATION);
    }

    /** For an answer that changes by itself: nothing of it is kept. */
    public HttpHandler uncached(Read read) {
        return exchange -> answer(exchange, read, Of.MOMENT);
    }

    private void answer(HttpServerExchange exchange, Read read, Of of) {
        if (!access.allows(exchange, Scope.READ)) {
            return;
        }
        // An administrator may see more, so what one sees is not kept for others.
        boolean isCached = of != Of.MOMENT && !access.has(exchange, Scope.ADMIN);
        String id = of == Of.CONVERSATION ? ReadRequest.decodedPath(exchange, "id") : null;
        Question question = new Question(url(exchange), id, tail.seen());
        Optional<CachedAnswer> known = isCached ? cache.find(question) : Optional.empty();
        if (known.isPresent()) {
            send(exchange, known.get(), question.now());
            return;
        }
        reads.answer(exchange, () -> {
            // Of those who ask the same at the same time, one looks it up: what came after a question need not be in
            // its
            // answer, so the others, who waited meanwhile, get the same.
            Optional<CachedAnswer> found =
                    isCached ? cache.find(question).or(() -> cache.findShared(question)) : Optional.empty();
            if (found.isPresent()) {
                return () -> send(exchange, found.get(), question.now());
            }
            long since = tail.seen();
            Answer answer = read.read(ReadRequest.of(exchange));
            if (answer instanceof Answer.NotFound notFound) {
                return () -> Replies.problem(exchange, Problem.NOT_FOUND, notFound.detail());
            }
            Answer.Body body = (Answer.Body) answer;
            CachedAnswer fresh = CachedAnswer.of(since, body.json(), body.isPlaced());
            if (isCached) {
                cache.put(question, fresh);
            }
            return () -> send(exchange, fresh, since);
        });
    }

    /** @param now up to which position it is known to be true */
    private void send(HttpServerExchange exchange, CachedAnswer answer, long now) {
        String place = answer.isPlaced() ? new StreamId(epoch, Math.max(now, answer.since())).toString() : null;
        Replies.stored(exchange, answer.json(), answer.tag(), place);
    }

    private static String url(HttpServerExchange exchange) {
        return exchange.getRequestURI() + '?' + exchange.getQueryString(); // as sent: decoded, two could be alike
    }
}
