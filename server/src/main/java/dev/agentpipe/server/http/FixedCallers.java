package dev.agentpipe.server.http;

import dev.agentpipe.server.ApiKey;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Keys that are given at the start. Reading is open. Thread-safe. */
public final class FixedCallers implements Callers {

    private static final Set<Scope> CLIENT = EnumSet.of(Scope.INGEST, Scope.UPLOAD, Scope.READ);

    private final Map<ByteBuffer, Known.Good> keys = new HashMap<>();
    private final Map<String, Known.Good> ids = new HashMap<>();

    /**
     * @param clientKeys may ingest, upload and read
     * @param adminKeys may do everything
     */
    public FixedCallers(List<ApiKey> clientKeys, List<ApiKey> adminKeys) {
        clientKeys.forEach(key -> add(key, CLIENT));
        adminKeys.forEach(key -> add(key, EnumSet.allOf(Scope.class)));
    }

    private void add(ApiKey key, Set<Scope> scopes) {
        // Of a key that stands in both lists the later entry counts, which can do more.
        Known.Good good = new Known.Good(new Caller(key.toString(), scopes, () -> true));
        keys.put(ByteBuffer.wrap(key.digest()), good);
        ids.put(key.id(), good);
    }

    /** The key of this digest; null if there is none. */
    public Known.Good ofDigest(ByteBuffer digest) {
        return keys.get(digest);
    }

    /** The key of this id; null if there is none. */
    public Known.Good ofId(String id) {
        return ids.get(id);
    }

    @Override
    public Known ofKey(String key) {
        Known.Good good = ofDigest(ByteBuffer.wrap(ApiKey.digest(key)));
        return good != null ? good : Known.Bad.UNKNOWN;
    }

    @Override
    public boolean isReadingOpen() {
        return true;
    }
}
