package dev.agentpipe.server.keys;

import dev.agentpipe.db.keys.KeyTokens.Kind;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.Callers.Known;
import dev.agentpipe.server.http.Failures;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestId;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.Methods;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** In front of all URLs. A request without cookie and query costs it some comparisons. */
final class Authentication implements HttpHandler {

    private static final String CONVERSATIONS = "/api/conversations/";
    private static final String EXPORT = "/export";
    private static final int ID_CHARS_MAX = 255;

    private final Sessions sessions;
    private final Access access;
    private final Failures failures;
    private final Audit audit;
    private final Reads reads;
    private final HttpHandler away;
    private final HttpHandler next;

    Authentication(
            Sessions sessions,
            Access access,
            Failures failures,
            Audit audit,
            Reads reads,
            HttpHandler away,
            HttpHandler next) {
        this.sessions = sessions;
        this.access = access;
        this.failures = failures;
        this.audit = audit;
        this.reads = reads;
        this.away = away;
        this.next = next;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) throws Exception {
        Optional<String> leaked = UrlKeys.find(exchange);
        if (leaked.isPresent()) {
            failures.count(exchange, "in_url", leaked.get());
            Replies.problem(
                    exchange,
                    Problem.KEY_IN_URL,
                    "URLs are kept in logs and histories, so consider this key leaked: have a new one made and this one"
                            + " revoked. Send a key as \"Authorization: Bearer <key>\" only.");
            return;
        }
        if (exchange.getRequestPath().startsWith(CONVERSATIONS)) {
            noteIfWanted(exchange);
        }
        Optional<String> session = exchange.getRequestHeaders().contains(Headers.AUTHORIZATION)
                ? Optional.empty()
                : SessionCookie.of(exchange);
        if (session.isEmpty()) {
            next.handleRequest(exchange);
            return;
        }
        Optional<Known> known = sessions.isSealed(Kind.SESSION, session.get())
                ? sessions.seen(session.get())
                : Optional.of(Known.Bad.UNKNOWN);
        if (known.isPresent()) {
            Access.admit(exchange, known.get());
            next.handleRequest(exchange);
        } else {
            LookedUp.then(exchange, reads, () -> sessions.find(session.get()), away, next);
        }
    }

    /** What takes something away, or out. */
    private void noteIfWanted(HttpServerExchange exchange) {
        boolean isDeletion = exchange.getRequestMethod().equals(Methods.DELETE);
        boolean isExport = exchange.getRequestPath().endsWith(EXPORT);
        if (isDeletion || isExport) {
            exchange.addExchangeCompleteListener((completed, others) -> {
                if (completed.getStatusCode() != Problem.UNAUTHORIZED.status()) { // those are counted elsewhere
                    note(completed, isDeletion ? "conversation.deleted" : "conversation.exported");
                }
                others.proceed();
            });
        }
    }

    private void note(HttpServerExchange exchange, String what) {
        String path = exchange.getRequestPath().substring(CONVERSATIONS.length());
        String id = path.endsWith(EXPORT) ? path.substring(0, path.length() - EXPORT.length()) : path;
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("conversationId", id.substring(0, Math.min(id.length(), ID_CHARS_MAX)));
        Deque<String> format = exchange.getQueryParameters().get("format");
        details.put(
                "format",
                format == null
                        ? null
                        : format.getFirst()
                                .substring(0, Math.min(format.getFirst().length(), 16)));
        details.put("status", exchange.getStatusCode());
        details.put("address", address(exchange));
        details.put("requestId", RequestId.of(exchange));
        audit.note(what, access.caller(exchange).map(Caller::keyId).orElse(null), details);
    }

    static String address(HttpServerExchange exchange) {
        return exchange.getSourceAddress().getHostString();
    }
}
