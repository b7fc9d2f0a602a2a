package dev.agentpipe.server.http;

import dev.agentpipe.server.ApiKey;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Who may do what: the keys and their scopes. Everyone may read.
 *
 * <p>A missing, a malformed and an unknown key are answered alike. Keys are compared by digest, all of them, in a time that
 * does not depend on how much of one was guessed right. Thread-safe.
 */
public final class Access {

    private static final String SCHEME = "Bearer ";

    private static final Set<Scope> CLIENT = EnumSet.of(Scope.INGEST, Scope.UPLOAD, Scope.READ);
    private static final Set<Scope> NONE = EnumSet.noneOf(Scope.class);

    private record Known(byte[] digest, Set<Scope> scopes) {}

    private final List<Known> keys = new ArrayList<>();

    /**
     * @param clientKeys may ingest, upload and read
     * @param adminKeys may do everything
     */
    public Access(List<ApiKey> clientKeys, List<ApiKey> adminKeys) {
        clientKeys.forEach(key -> keys.add(new Known(key.digest(), CLIENT)));
        adminKeys.forEach(key -> keys.add(new Known(key.digest(), EnumSet.allOf(Scope.class))));
    }

    /** Answers 401 or 403 and returns false unless the request may do this. */
    public boolean allows(HttpServerExchange exchange, Scope scope) {
        if (scope == Scope.READ) {
            return true;
        }
        Set<Scope> scopes = scopes(exchange);
        if (scopes.contains(scope)) {
            return true;
        }
        if (scopes.isEmpty()) {
            Replies.problem(
                    exchange, Problem.UNAUTHORIZED, "Send \"Authorization: Bearer <key>\" with a key of this server.");
        } else {
            Replies.problem(exchange, Problem.FORBIDDEN, "It takes a key with the scope \"" + scope.label() + "\".");
        }
        return false;
    }

    /** Whether the request brings a key with this scope; answers nothing. */
    public boolean has(HttpServerExchange exchange, Scope scope) {
        return scopes(exchange).contains(scope);
    }

    private Set<Scope> scopes(HttpServerExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst(Headers.AUTHORIZATION);
        return header != null && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                ? scopes(header.substring(SCHEME.length()).strip())
                : NONE;
    }

    private Set<Scope> scopes(String key) {
        byte[] digest = ApiKey.digest(key);
        Set<Scope> scopes = NONE;
        for (Known one : keys) {
            // Of a key that stands in both lists the later entry counts, which can do more.
            scopes = MessageDigest.isEqual(one.digest, digest) ? one.scopes : scopes;
        }
        return scopes;
    }
}
