package dev.agentpipe.server.keys;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.keys.StoredKey;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.audit.Audit;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.Callers;
import dev.agentpipe.server.http.FixedCallers;
import dev.agentpipe.server.http.Scope;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All keys, in memory: those of the environment, and the managed ones as the database had them at the last {@link
 * #refresh}. Whoever asks gets a snapshot; a key that ends takes effect with the next one.
 *
 * <p>Thread-safe; refreshes and writes by one thread at a time each.
 */
final class Keyring implements Callers {

    private static final Logger log = LoggerFactory.getLogger(Keyring.class);

    private final FixedCallers environment;
    private final ApiKeys store;
    private final Audit audit;
    private final LongSupplier nanoTime;
    private volatile Snapshot snapshot;

    /** PostgreSQL's time as of the last refresh, plus what has passed since, where it could not be asked. */
    private volatile Instant now;

    // Owned by the thread that refreshes.
    private long refreshedNanos;

    private record Snapshot(
            long version,
            boolean isReadingOpen,
            byte[] tokenSeal,
            Map<ByteBuffer, Managed> byDigest,
            Map<String, Managed> byId) {}

    /** A managed key. */
    private final class Managed {
        private final StoredKey key;
        private final Known.Good good;
        private volatile boolean used;

        Managed(StoredKey key) {
            this.key = key;
            String id = key.id();
            this.good = new Known.Good(new Caller(key.label(), scopes(key), () -> isGood(id)));
        }

        Known known() {
            if (key.isUsable(now)) {
                if (!used) { // else all I/O threads would fight for its cache line
                    used = true;
                }
                return good;
            }
            return new Known.Bad(key.revokedAt() != null ? "revoked" : "expired", key.label());
        }
    }

    /**
     * Blocks for a first look.
     *
     * @param nanoTime what passes while the database is away
     */
    Keyring(FixedCallers environment, ApiKeys store, Audit audit, LongSupplier nanoTime) {
        this.environment = environment;
        this.store = store;
        this.audit = audit;
        this.nanoTime = nanoTime;
        take(store.load());
    }

    private static Set<Scope> scopes(StoredKey key) {
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        key.scopes().forEach(label -> Scope.of(label).ifPresent(scopes::add));
        return scopes.contains(Scope.ADMIN) ? EnumSet.allOf(Scope.class) : scopes;
    }

    @Override
    public Known ofKey(String key) {
        ByteBuffer digest = ByteBuffer.wrap(ApiKey.digest(key));
        Known.Good fixed = environment.ofDigest(digest);
        if (fixed != null) {
            return fixed;
        }
        Managed managed = snapshot.byDigest.get(digest);
        return managed == null ? Known.Bad.UNKNOWN : managed.known();
    }

    /** The key of which something else tells: its id without the prefix. */
    Known ofId(String id) {
        Known.Good fixed = environment.ofId(id);
        if (fixed != null) {
            return fixed;
        }
        Managed managed = snapshot.byId.get(id);
        return managed == null ? Known.Bad.UNKNOWN : managed.known();
    }

    private boolean isGood(String id) {
        Managed managed = snapshot.byId.get(id);
        return managed != null && managed.key.isUsable(now);
    }

    @Override
    public boolean isReadingOpen() {
        return snapshot.isReadingOpen;
    }

    Instant now() {
        return now;
    }

    byte[] tokenSeal() {
        return snapshot.tokenSeal;
    }

    /**
     * Looks for what has changed; blocks. While the database is away time goes on, so that keys expire all the same.
     *
     * @return whether anything has changed in what a caller may do
     */
    boolean refresh() {
        Snapshot before = snapshot;
        Instant earlier = now;
        long nanos = nanoTime.getAsLong();
        try {
            ApiKeys.State state = store.state();
            if (state.version() != before.version) {
                take(store.load());
                tell(before, snapshot);
                return true;
            }
            now = state.now();
        } catch (LogUnavailableException away) {
            log.debug("Changes of keys are looked for later", away); // whoever needs the database says that it is away
            now = earlier.plus(Duration.ofNanos(nanos - refreshedNanos));
        }
        refreshedNanos = nanos;
        return hasExpired(earlier, now);
    }

    /** Whether the time between these has ended a key. */
    private boolean hasExpired(Instant earlier, Instant later) {
        boolean any = false;
        for (Managed managed : snapshot.byId.values()) {
            if (managed.key.isUsable(earlier) && !managed.key.isUsable(later)) {
                audit.note("key.expired", managed.key.createdBy(), Map.of("key", managed.key.label()));
                any = true;
            }
        }
        return any;
    }

    private void take(ApiKeys.Loaded loaded) {
        Map<ByteBuffer, Managed> byDigest = new HashMap<>();
        Map<String, Managed> byId = new HashMap<>();
        for (StoredKey key : loaded.keys()) {
            Managed managed = new Managed(key);
            Managed old = snapshot == null ? null : snapshot.byId.get(key.id());
            managed.used = old != null && old.used;
            byDigest.put(ByteBuffer.wrap(HexFormat.of().parseHex(key.digest())), managed);
            byId.put(key.id(), managed);
        }
        now = loaded.state().now();
        refreshedNanos = nanoTime.getAsLong();
        snapshot =
                new Snapshot(loaded.state().version(), !loaded.isReadingClosed(), loaded.tokenSeal(), byDigest, byId);
    }

    /** Each node tells what it does from now on, whoever has changed the database, and by what means. */
    private void tell(Snapshot before, Snapshot after) {
        after.byId.forEach((id, managed) -> {
            StoredKey key = managed.key;
            StoredKey old = before.byId.containsKey(id) ? before.byId.get(id).key : null;
            if (old == null) {
                audit.note("key.created", key.createdBy(), details(key));
            } else if (old.revokedAt() == null && key.revokedAt() != null) {
                audit.note("key.revoked", key.revokedBy(), details(key));
            } else if (!Objects.equals(old.expiresAt(), key.expiresAt())
                    || !old.scopes().equals(key.scopes())
                    || !old.name().equals(key.name())) {
                audit.note("key.changed", null, details(key));
            }
        });
        before.byId.forEach((id, managed) -> {
            if (!after.byId.containsKey(id)) {
                audit.note("key.deleted", null, details(managed.key));
            }
        });
        if (before.isReadingOpen != after.isReadingOpen) {
            audit.note(after.isReadingOpen ? "reading.opened" : "reading.closed", null, Map.of());
        }
    }

    private static Map<String, Object> details(StoredKey key) {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("key", key.label());
        details.put("name", key.name());
        details.put("scopes", key.scopes());
        details.put(
                "expiresAt", key.expiresAt() == null ? null : key.expiresAt().toString());
        return details;
    }

    /** Notes in the database which keys were used since the last time; blocks. To be called once a minute. */
    void writeUses() {
        List<String> used = new ArrayList<>();
        Collection<Managed> all = snapshot.byId.values();
        for (Managed managed : all) {
            if (managed.used) {
                managed.used = false;
                used.add(managed.key.id());
            }
        }
        if (!used.isEmpty()) {
            store.used(used);
        }
    }
}
