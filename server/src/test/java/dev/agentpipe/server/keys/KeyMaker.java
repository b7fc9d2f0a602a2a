package dev.agentpipe.server.keys;

import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.server.ApiKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Makes and ends keys as the commands do: in the database, past the servers. */
public final class KeyMaker {

    final ApiKeys store;

    public KeyMaker(String databaseUrl) {
        store = ApiKeys.connect(DatabaseSettings.of(databaseUrl, null, 0, 3, Duration.ofSeconds(10)));
    }

    public ApiKey make(String... scopes) {
        return make(null, scopes);
    }

    /** @param expires null: never */
    ApiKey make(Duration expires, String... scopes) {
        ApiKey key = ApiKey.generate(new SecureRandom());
        if (!store.create(newKey(key, expires, scopes))) {
            throw new AssertionError("not made");
        }
        return key;
    }

    static ApiKeys.NewKey newKey(ApiKey key, Duration expires, String... scopes) {
        return new ApiKeys.NewKey(
                HexFormat.of().formatHex(key.digest()), key.prefix(), "test", List.of(scopes), expires, "a test");
    }

    void revoke(ApiKey key) {
        if (!store.revoke(key.id(), "a test")) {
            throw new AssertionError("not revoked");
        }
    }

    static String[] bearer(ApiKey key, String... more) {
        return Stream.concat(Stream.of("Authorization", "Bearer " + key.value()), Stream.of(more))
                .toArray(String[]::new);
    }
}
