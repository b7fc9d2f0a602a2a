package dev.agentpipe.server.http;

import dev.agentpipe.server.ApiKey;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.security.MessageDigest;
import java.util.List;

/**
 * Who may do what. So far one rule: whoever has one of the server's keys may ingest, and everyone may read.
 *
 * <p>A missing, a malformed and an unknown key are answered alike. Keys are compared by digest, all of them, in a time that
 * does not depend on how much of one was guessed right. Thread-safe.
 */
public final class Access {

    private static final String SCHEME = "Bearer ";

    private final List<byte[]> digests;

    public Access(List<ApiKey> keys) {
        this.digests = keys.stream().map(ApiKey::digest).toList();
    }

    /** Answers 401 and returns false unless the request may ingest. */
    boolean mayIngest(HttpServerExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst(Headers.AUTHORIZATION);
        if (header != null
                && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                && isKnown(header.substring(SCHEME.length()).strip())) {
            return true;
        }
        Replies.problem(
                exchange, Problem.UNAUTHORIZED, "Send \"Authorization: Bearer <key>\" with a key of this server.");
        return false;
    }

    private boolean isKnown(String key) {
        byte[] digest = ApiKey.digest(key);
        boolean known = false;
        for (byte[] one : digests) {
            known |= MessageDigest.isEqual(one, digest);
        }
        return known;
    }
}
