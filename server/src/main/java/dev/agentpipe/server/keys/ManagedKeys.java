package dev.agentpipe.server.keys;

import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.keys.StoredKey;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.http.Scope;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * Makes, lists and ends keys in the database; what the commands do. Servers see it within two seconds. What cannot be done is an
 * {@link IllegalArgumentException} with a sentence for whoever asked. Blocks.
 */
public final class ManagedKeys {

    public static final int NAME_CHARS_MAX = 100;

    /** More often than ever needed: two ids of 32 bits being alike is one in 400,000 with the most keys there can be. */
    private static final int TRIES = 3;

    private final ApiKeys store;
    private final SecureRandom random;
    private final String by;

    /** @param by who does it, for the audit */
    public ManagedKeys(ApiKeys store, SecureRandom random, String by) {
        this.store = store;
        this.random = random;
        this.by = by;
    }

    /** All keys, the newest first. */
    public record Listed(boolean isReadingClosed, Instant now, List<StoredKey> keys) {

        /** Whether somebody can read by a managed key. */
        public boolean hasReadKey() {
            return keys.stream().anyMatch(key -> key.isUsable(now) && isReadKey(key));
        }
    }

    /** A key for which reading was named. One with all scopes may read as well, but nobody made it for that. */
    public static boolean isReadKey(StoredKey key) {
        return key.scopes().contains(Scope.READ.label());
    }

    public Listed list() {
        ApiKeys.Loaded loaded = store.load();
        return new Listed(loaded.isReadingClosed(), loaded.state().now(), loaded.keys());
    }

    /** @param expires from now on; null: never */
    public ApiKey create(String name, Set<Scope> scopes, Duration expires, boolean isForTests) {
        if (name.isBlank()
                || name.length() > NAME_CHARS_MAX
                || name.chars().anyMatch(c -> Character.isISOControl(c) || Character.isSurrogate((char) c))) {
            throw new IllegalArgumentException(
                    "a name has 1 to " + NAME_CHARS_MAX + " characters, and no control characters");
        }
        for (int i = 0; i < TRIES; i++) {
            ApiKey key = isForTests ? ApiKey.generateTest(random) : ApiKey.generate(random);
            if (store.create(newKey(key, name, labels(scopes), expires))) {
                return key;
            }
        }
        throw new IllegalArgumentException("there are " + ApiKeys.KEYS_MAX + " keys, which is the most");
    }

    private static List<String> labels(Set<Scope> scopes) {
        return scopes.stream().sorted().map(Scope::label).toList();
    }

    private ApiKeys.NewKey newKey(ApiKey key, String name, List<String> scopes, Duration expires) {
        String digest = HexFormat.of().formatHex(key.digest());
        return new ApiKeys.NewKey(digest, key.prefix(), name, scopes, expires, by);
    }

    /** @return the key as it was before */
    public StoredKey revoke(String idOrName) {
        StoredKey key = find(idOrName);
        if (!store.revoke(key.id(), by)) {
            throw new IllegalArgumentException(key.label() + " was revoked before");
        }
        return key;
    }

    /**
     * Makes a key like this one, which lives on for a while.
     *
     * @param expires the new one, from now on; null: after as long as the old one was made for
     * @param overlap for which the old one lives at most
     */
    public ApiKey rotate(String idOrName, Duration expires, Duration overlap) {
        StoredKey old = find(idOrName);
        if (!old.isUsable(store.state().now())) {
            throw new IllegalArgumentException(old.label() + " is not in use any more: make a new one");
        }
        Duration lifetime = expires != null || old.expiresAt() == null
                ? expires
                : Duration.between(old.createdAt(), old.expiresAt());
        boolean isForTests = old.prefix().equals(ApiKey.TEST_PREFIX);
        for (int i = 0; i < TRIES; i++) {
            ApiKey key = isForTests ? ApiKey.generateTest(random) : ApiKey.generate(random);
            if (store.rotate(old.id(), newKey(key, old.name(), old.scopes(), lifetime), overlap)) {
                return key;
            }
        }
        throw new IllegalArgumentException("there are " + ApiKeys.KEYS_MAX + " keys, which is the most");
    }

    /** Reading can be opened only if nobody has been given a key to read, which would mean nothing then. */
    public void setReadingClosed(boolean closed) {
        if (!closed && list().hasReadKey()) {
            throw new IllegalArgumentException("there are keys with the scope read: revoke them first");
        }
        store.setReadingClosed(closed);
    }

    /** By its id, as it is listed or its 8 characters alone, or by a name that one key in use has. */
    private StoredKey find(String idOrName) {
        Listed all = list();
        String id = idOrName.substring(idOrName.lastIndexOf('…') + 1);
        List<StoredKey> byId =
                all.keys.stream().filter(key -> key.id().equals(id)).toList();
        if (!byId.isEmpty()) {
            return byId.get(0);
        }
        List<StoredKey> byName = all.keys.stream()
                .filter(key -> key.name().equals(idOrName) && key.isUsable(all.now))
                .toList();
        if (byName.size() == 1) {
            return byName.get(0);
        }
        // Not what was given: it may be a key that somebody has pasted.
        throw new IllegalArgumentException(
                byName.isEmpty()
                        ? "there is no key of this id or name"
                        : byName.size() + " keys in use have this name: give the id of one");
    }
}
