package dev.agentpipe.db.keys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.keys.ApiKeys.NewKey;
import dev.agentpipe.db.keys.KeyTokens.Kind;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.postgres.DatabaseStartException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ApiKeysTest {

    private static final Duration HOUR = Duration.ofHours(1);

    private final String url = TestPostgres.newDatabase();
    private final Database database = Database.open(TestPostgres.settings(url));
    private final ApiKeys keys = database.apiKeys();
    private final KeyTokens tokens = database.keyTokens();
    private final TestRows rows = new TestRows(url);

    @AfterEach
    void close() {
        rows.close();
        database.close();
    }

    private static String digest(int number) {
        return "%08x".formatted(number).repeat(8);
    }

    private static NewKey key(int number, Duration expires, String... scopes) {
        return new NewKey(digest(number), "ap_live_", "n" + number, List.of(scopes), expires, "me");
    }

    private StoredKey stored(int number) {
        return keys.load().keys().stream()
                .filter(key -> key.digest().equals(digest(number)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void create_isStoredWithoutASecretAndMovesTheVersion() {
        long version = keys.state().version();
        assertTrue(keys.create(key(1, HOUR, "ingest", "upload")));

        assertNotEquals(version, keys.state().version());
        StoredKey stored = stored(1);
        assertEquals("ap_live_…00000001", stored.label());
        assertEquals(List.of("ingest", "upload"), stored.scopes());
        assertEquals(HOUR, Duration.between(stored.createdAt(), stored.expiresAt()));
        assertTrue(stored.isUsable(stored.createdAt()));
        assertFalse(stored.isUsable(stored.expiresAt()), "from this moment on");
        assertFalse(keys.create(key(1, null, "ingest")), "of this id there is one");
        assertFalse(keys.load().isReadingClosed());
    }

    @Test
    void readKey_closesReadingUntilSomebodyOpensIt() {
        keys.create(key(1, null, "ingest", "read"));
        assertTrue(keys.load().isReadingClosed());

        assertTrue(keys.revoke("00000001", "me"));
        assertFalse(keys.revoke("00000001", "me"), "once");
        assertFalse(keys.revoke("00000002", "me"), "there is none");
        assertTrue(keys.load().isReadingClosed(), "a leaked key must not be why everybody may read");

        long version = keys.state().version();
        keys.setReadingClosed(false);
        assertFalse(keys.load().isReadingClosed());
        assertNotEquals(version, keys.state().version());
        keys.create(key(3, null, "admin"));
        assertFalse(keys.load().isReadingClosed(), "an administrator's is no read key");
    }

    @Test
    void rotate_endsTheOldOneAfterTheOverlapAndNeverLater() {
        keys.create(key(1, null, "ingest"));
        keys.create(key(2, Duration.ofMinutes(1), "ingest"));
        assertTrue(keys.rotate("00000001", key(3, null, "ingest"), HOUR));
        assertTrue(keys.rotate("00000002", key(4, null, "ingest"), HOUR));

        Instant now = keys.state().now();
        assertTrue(stored(1).isUsable(now.plusSeconds(3_500)));
        assertFalse(stored(1).isUsable(now.plusSeconds(3_601)));
        assertFalse(stored(2).isUsable(now.plusSeconds(61)), "as before");
        assertFalse(keys.rotate("00000003", key(4, null, "ingest"), HOUR), "of this id there is one");
        assertNull(stored(3).expiresAt(), "so nothing was done");
    }

    @Test
    void statementByHand_movesTheVersion_theUseDoesNot() {
        keys.create(key(1, null, "ingest"));
        long version = keys.state().version();
        rows.run("update api_keys set revoked_at = now(), revoked_by = 'sql'");
        assertEquals(version + 1, keys.state().version());
        rows.run("delete from api_keys");
        assertEquals(version + 2, keys.state().version());

        keys.create(key(2, null, "ingest"));
        version = keys.state().version();
        keys.used(List.of("00000002"));
        assertEquals(version, keys.state().version());
        Instant used = stored(2).lastUsedAt();
        keys.used(List.of("00000002"));
        assertEquals(used, stored(2).lastUsedAt(), "at most once a minute");
        rows.run("update api_keys set last_used_at = now() - interval '61 seconds'");
        keys.used(List.of("00000002", "ffffffff"));
        assertFalse(stored(2).lastUsedAt().isBefore(used));
    }

    @Test
    void session_isGoodUntilItEndsOrExpires() {
        tokens.add(Kind.SESSION, digest(1), "00000001", HOUR);
        tokens.add(Kind.SESSION, digest(2), "00000001", HOUR);
        assertEquals("00000001", tokens.session(digest(1)).orElseThrow().keyId());
        assertEquals(Set.of(digest(1), digest(2)), tokens.sessions(List.of(digest(1), digest(2), digest(3))));
        assertTrue(tokens.takeTicket(digest(1)).isEmpty(), "it is no ticket");

        long version = keys.state().version();
        tokens.end(digest(1));
        assertNotEquals(version, keys.state().version(), "other servers look");
        assertTrue(tokens.session(digest(1)).isEmpty());

        rows.run("update key_tokens set expires_at = now()");
        assertTrue(tokens.session(digest(2)).isEmpty());
        assertEquals(Set.of(), tokens.sessions(List.of(digest(2))));
        tokens.deleteExpired();
        assertEquals("0", rows.value("select count(*) from key_tokens"));
    }

    @Test
    void ticket_takenByManyAtOnce_isTakenOnce() throws Exception {
        tokens.add(Kind.TICKET, digest(1), "00000001", HOUR);
        assertTrue(tokens.session(digest(1)).isEmpty(), "it is no session");
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<Boolean>> taken = threads.invokeAll(Stream.<Callable<Boolean>>generate(
                            () -> () -> tokens.takeTicket(digest(1)).isPresent())
                    .limit(8)
                    .toList());
            int count = 0;
            for (Future<Boolean> each : taken) {
                count += each.get() ? 1 : 0;
            }
            assertEquals(1, count);
        } finally {
            threads.shutdown();
        }
        tokens.add(Kind.TICKET, digest(2), "00000001", HOUR);
        rows.run("update key_tokens set expires_at = now()");
        assertTrue(tokens.takeTicket(digest(2)).isEmpty());
    }

    @Test
    void tokens_ofAKey_areBounded() {
        rows.run("insert into key_tokens select decode(lpad(to_hex(n), 64, '0'), 'hex'), 'session', '00000001',"
                + " now() + interval '1 hour' from generate_series(1, 999) as n");
        assertTrue(tokens.add(Kind.SESSION, digest(1), "00000001", HOUR).isPresent());
        assertTrue(tokens.add(Kind.SESSION, digest(2), "00000001", HOUR).isEmpty());
        assertTrue(tokens.add(Kind.SESSION, digest(3), "00000002", HOUR).isPresent(), "another key's");
        assertTrue(tokens.add(Kind.TICKET, digest(4), "00000001", HOUR).isPresent(), "another kind");
    }

    @Test
    void create_beyondTheMost_isRefused() {
        rows.run("insert into api_keys (id, digest, prefix, name, scopes, created_by) select lpad(to_hex(n), 8, '0'),"
                + " decode(lpad(to_hex(n), 64, '0'), 'hex'), '', 'n', array['ingest'], 'me'"
                + " from generate_series(1, 9999) as n");
        assertTrue(keys.create(key(10_001, null, "ingest")));
        assertFalse(keys.create(key(10_002, null, "ingest")));
        assertEquals(ApiKeys.KEYS_MAX, keys.load().keys().size());
    }

    @Test
    void connect_withoutSchema_saysWhatToDo() {
        DatabaseStartException refused = assertThrows(
                DatabaseStartException.class, () -> ApiKeys.connect(TestPostgres.settings(TestPostgres.newDatabase())));
        assertTrue(refused.getMessage().contains("start a server of this version"), refused.getMessage());
        assertTrue(ApiKeys.connect(TestPostgres.settings(url)).load().keys().isEmpty());
    }
}
