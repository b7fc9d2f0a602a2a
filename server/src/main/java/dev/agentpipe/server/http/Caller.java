package dev.agentpipe.server.http;

import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Somebody who has shown a key, or what was made from one.
 *
 * @param keyId how the key is named, such as {@code ap_live_…1f3a9c02}
 * @param scopes what may be done
 * @param isGood whether the key, and what was made from it, still is; asked for as long as what was begun goes on. Quick,
 *     and from any thread
 */
public record Caller(String keyId, Set<Scope> scopes, BooleanSupplier isGood) {

    public Caller {
        scopes = Set.copyOf(scopes);
    }

    public boolean may(Scope scope) {
        return scopes.contains(scope);
    }
}
