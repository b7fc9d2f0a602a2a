package dev.agentpipe.server.keys;

import dev.agentpipe.db.keys.KeyTokens.Kind;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Callers;
import dev.agentpipe.server.http.Callers.Known;
import dev.agentpipe.server.http.Reads;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.Deque;

/**
 * In front of the streams: lets in by {@code ?ticket=}, once. An {@code EventSource} of another origin can send neither a
 * header nor our cookie; a ticket in its URL is worth nothing by the time that a log shows it.
 */
final class Tickets implements HttpHandler {

    private static final String PARAMETER = "ticket";

    private final Sessions sessions;
    private final Callers callers;
    private final Reads reads;
    private final HttpHandler away;
    private final HttpHandler next;

    Tickets(Sessions sessions, Callers callers, Reads reads, HttpHandler away, HttpHandler next) {
        this.sessions = sessions;
        this.callers = callers;
        this.reads = reads;
        this.away = away;
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        Deque<String> tickets = exchange.getQueryParameters().get(PARAMETER);
        if (tickets == null
                || callers.isReadingOpen()
                || exchange.getRequestHeaders().contains(Headers.AUTHORIZATION)) {
            next.handleRequest(exchange);
            return;
        }
        String ticket = tickets.getFirst();
        if (sessions.isSealed(Kind.TICKET, ticket)) {
            LookedUp.then(exchange, reads, () -> sessions.takeTicket(ticket), away, next);
        } else {
            Access.admit(exchange, Known.Bad.UNKNOWN);
            next.handleRequest(exchange);
        }
    }
}
