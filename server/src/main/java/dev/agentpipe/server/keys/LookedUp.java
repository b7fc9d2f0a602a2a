package dev.agentpipe.server.keys;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Callers.Known;
import dev.agentpipe.server.http.Reads;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.SameThreadExecutor;
import java.util.function.Supplier;

/** A request that goes on once the database was asked who it is from. */
final class LookedUp {

    private LookedUp() {}

    /** @param find blocks; on a thread of the reads */
    static void then(
            HttpServerExchange exchange, Reads reads, Supplier<Known> find, HttpHandler away, HttpHandler next) {
        reads.answer(exchange, () -> {
            HttpHandler how = next;
            try {
                Access.admit(exchange, find.get());
            } catch (LogUnavailableException e) {
                how = away;
            }
            HttpHandler handler = how;
            return () -> exchange.dispatch(SameThreadExecutor.INSTANCE, handler);
        });
    }
}
