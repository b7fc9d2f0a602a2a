package dev.agentpipe.server.keys;

import dev.agentpipe.db.keys.KeyTokens.Kind;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.Callers;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestId;
import dev.agentpipe.server.http.Routes;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.StatusCodes;
import java.time.Duration;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** {@code /api/session} and {@code /api/realtime/ticket}: what a key is turned into. Thread-safe. */
final class SessionHandlers {

    private static final int ID_CHARS = 8;

    private final Callers callers;
    private final Sessions sessions;
    private final Access access;
    private final Audit audit;
    private final Reads reads;

    SessionHandlers(Callers callers, Sessions sessions, Access access, Audit audit, Reads reads) {
        this.callers = callers;
        this.sessions = sessions;
        this.access = access;
        this.audit = audit;
        this.reads = reads;
    }

    Routes.Sessions table() {
        return new Routes.Sessions(this::whoAmI, this::logIn, this::logOut, this::ticket);
    }

    /** {@code POST /api/session}: a key becomes a cookie. */
    private void logIn(HttpServerExchange exchange) {
        make(exchange, Kind.SESSION, Sessions.SESSION, made -> {
            Caller caller = access.caller(exchange).orElseThrow();
            SessionCookie.set(exchange, made.text(), Sessions.SESSION);
            audit.note("session.created", caller.keyId(), where(exchange));
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("key", caller.keyId());
            body.put("scopes", labels(Sessions.inSession(caller.scopes())));
            body.put("expiresAt", made.expiresAt().toString());
            Replies.json(exchange, StatusCodes.CREATED, body);
        });
    }

    /** {@code GET /api/session}: who one is, and whether one needs to be anybody. */
    private void whoAmI(HttpServerExchange exchange) {
        Optional<Caller> caller = access.caller(exchange);
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        caller.ifPresent(one -> scopes.addAll(one.scopes()));
        if (callers.isReadingOpen()) {
            scopes.add(Scope.READ);
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("readingOpen", callers.isReadingOpen());
        body.put("key", caller.map(Caller::keyId).orElse(null));
        body.put("scopes", labels(scopes));
        Replies.json(exchange, StatusCodes.OK, body);
    }

    /** {@code DELETE /api/session}: the cookie is worth nothing any more, also a copy of it. */
    private void logOut(HttpServerExchange exchange) {
        Optional<String> session = SessionCookie.of(exchange).filter(text -> sessions.isSealed(Kind.SESSION, text));
        SessionCookie.remove(exchange);
        if (session.isEmpty()) {
            Replies.empty(exchange, StatusCodes.NO_CONTENT);
            return;
        }
        reads.answer(exchange, () -> {
            sessions.end(session.get());
            return () -> {
                access.caller(exchange)
                        .ifPresent(caller -> audit.note("session.ended", caller.keyId(), where(exchange)));
                Replies.empty(exchange, StatusCodes.NO_CONTENT);
            };
        });
    }

    /** {@code POST /api/realtime/ticket}: a key becomes the right to open one stream, soon. */
    private void ticket(HttpServerExchange exchange) {
        make(exchange, Kind.TICKET, Sessions.TICKET, made -> {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("ticket", made.text());
            body.put("expiresAt", made.expiresAt().toString());
            Replies.json(exchange, StatusCodes.CREATED, body);
        });
    }

    private void make(HttpServerExchange exchange, Kind kind, Duration lifetime, Consumer<Sessions.Made> done) {
        Optional<Caller> caller = access.keyHolder(exchange);
        if (caller.isEmpty()) {
            return;
        }
        if (!caller.get().may(Scope.READ)) {
            Replies.problem(exchange, Problem.FORBIDDEN, "It takes a key with the scope \"read\".");
            return;
        }
        String label = caller.get().keyId();
        String id = label.substring(label.length() - ID_CHARS);
        reads.answer(exchange, () -> {
            Optional<Sessions.Made> made = sessions.make(kind, id, lifetime);
            return () -> made.ifPresentOrElse(
                    done,
                    () -> Replies.problem(exchange, Problem.TOO_MANY_TOKENS, "Those there are must expire first."));
        });
    }

    private static Map<String, Object> where(HttpServerExchange exchange) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("address", Authentication.address(exchange));
        details.put("requestId", RequestId.of(exchange));
        return details;
    }

    private static List<String> labels(Set<Scope> scopes) {
        return scopes.stream().sorted().map(Scope::label).toList();
    }
}
