package dev.agentpipe.db.keys;

import static dev.agentpipe.db.generated.Tables.API_KEYS;
import static dev.agentpipe.db.generated.Tables.KEY_STATE;
import static org.jooq.impl.DSL.currentOffsetDateTime;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.least;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.generated.tables.records.ApiKeysRecord;
import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.impl.DSL;

/**
 * The managed keys. Every change moves the version, by triggers. Thread-safe; all methods block, and throw {@link
 * LogUnavailableException} while the database is away.
 */
public final class ApiKeys {

    /** More than anybody makes by hand; servers hold all of them in memory. */
    public static final int KEYS_MAX = 10_000;

    private final DSLContext sql;

    /** What servers look at each second. By PostgreSQL's clock, so that a key ends on all of them at once. */
    public record State(long version, Instant now) {}

    /**
     * All that servers hold.
     *
     * @param tokenSeal a secret that all servers share
     */
    public record Loaded(State state, boolean isReadingClosed, byte[] tokenSeal, List<StoredKey> keys) {}

    /** What a key is to be. @param expires from now on; null: never */
    public record NewKey(
            String digest, String prefix, String name, List<String> scopes, Duration expires, String createdBy) {}

    public ApiKeys(DSLContext sql) {
        this.sql = Statements.named(sql, "keys");
    }

    /**
     * For commands: connections come and go with each statement, and nothing is migrated, since servers of the older schema
     * may be at work.
     *
     * @throws DatabaseStartException if the database cannot be reached, or has no keys yet
     */
    public static ApiKeys connect(DatabaseSettings settings) {
        DSLContext sql = ConnectionPool.context(ConnectionPool.unpooled(settings.url()));
        try {
            boolean exists = sql.select(field("to_regclass('key_state') is not null", Boolean.class))
                    .fetchSingle()
                    .value1();
            if (!exists) {
                throw new DatabaseStartException("The database at "
                        + settings.url().target() + " has no keys yet: start a server of this version on it once");
            }
        } catch (DatabaseStartException told) {
            throw told;
        } catch (RuntimeException failed) {
            throw new DatabaseStartException(
                    "PostgreSQL at " + settings.url().target() + " cannot be used (see DATABASE_URL): "
                            + PostgresFailures.translated(failed).getMessage(),
                    failed);
        }
        return new ApiKeys(sql);
    }

    public State state() {
        return translated(() -> sql.select(KEY_STATE.VERSION, currentOffsetDateTime())
                .from(KEY_STATE)
                .fetchSingle(row -> new State(row.value1(), row.value2().toInstant())));
    }

    /** All at one moment. */
    public Loaded load() {
        return translated(() -> sql.transactionResult(configuration -> {
            DSLContext transaction = DSL.using(configuration);
            transaction.execute("set transaction isolation level repeatable read, read only");
            var state = transaction
                    .select(KEY_STATE.VERSION, KEY_STATE.READING_CLOSED, KEY_STATE.TOKEN_SEAL, currentOffsetDateTime())
                    .from(KEY_STATE)
                    .fetchSingle();
            List<StoredKey> keys = transaction
                    .selectFrom(API_KEYS)
                    .orderBy(API_KEYS.CREATED_AT.desc(), API_KEYS.ID)
                    .limit(KEYS_MAX)
                    .fetch(ApiKeys::stored);
            return new Loaded(
                    new State(state.value1(), state.value4().toInstant()), state.value2(), state.value3(), keys);
        }));
    }

    /** False if a key of this id exists, or there are {@link #KEYS_MAX}: then nothing was done. */
    public boolean create(NewKey key) {
        return translated(() -> sql.transactionResult(configuration -> insert(DSL.using(configuration), key)));
    }

    private static boolean insert(DSLContext transaction, NewKey key) {
        // The lock on its one row keeps others from making one too many.
        transaction.select(KEY_STATE.VERSION).from(KEY_STATE).forUpdate().fetch();
        if (transaction.fetchCount(API_KEYS) >= KEYS_MAX) {
            return false;
        }
        return transaction
                        .insertInto(API_KEYS)
                        .set(API_KEYS.ID, key.digest().substring(0, 8))
                        .set(API_KEYS.DIGEST, HexFormat.of().parseHex(key.digest()))
                        .set(API_KEYS.PREFIX, key.prefix())
                        .set(API_KEYS.NAME, key.name())
                        .set(API_KEYS.SCOPES, key.scopes().toArray(String[]::new))
                        .set(API_KEYS.CREATED_BY, key.createdBy())
                        .set(API_KEYS.EXPIRES_AT, key.expires() == null ? null : in(key.expires()))
                        .onConflictDoNothing()
                        .execute()
                == 1;
    }

    /** Makes the new key, as {@link #create} does, and lets the old one live for no longer than this. */
    public boolean rotate(String id, NewKey successor, Duration overlap) {
        return translated(() -> sql.transactionResult(configuration -> {
            DSLContext transaction = DSL.using(configuration);
            return insert(transaction, successor)
                    && transaction
                                    .update(API_KEYS)
                                    .set(API_KEYS.EXPIRES_AT, least(API_KEYS.EXPIRES_AT, in(overlap)))
                                    .where(API_KEYS.ID.eq(id))
                                    .execute()
                            == 1;
        }));
    }

    /** False if there is no such key, or it was revoked before. */
    public boolean revoke(String id, String by) {
        return translated(() -> sql.update(API_KEYS)
                        .set(API_KEYS.REVOKED_AT, currentOffsetDateTime())
                        .set(API_KEYS.REVOKED_BY, by)
                        .where(API_KEYS.ID.eq(id).and(API_KEYS.REVOKED_AT.isNull()))
                        .execute()
                == 1);
    }

    public void setReadingClosed(boolean closed) {
        translated(() -> sql.update(KEY_STATE)
                .set(KEY_STATE.READING_CLOSED, closed)
                .set(KEY_STATE.VERSION, KEY_STATE.VERSION.plus(1))
                .where(KEY_STATE.READING_CLOSED.ne(closed))
                .execute());
    }

    /** Notes that these were used just now; at most once a minute for each, however many servers say so. */
    public void used(Collection<String> ids) {
        Field<OffsetDateTime> minuteAgo = Expressions.ago(Duration.ofMinutes(1));
        translated(() -> sql.update(API_KEYS)
                .set(API_KEYS.LAST_USED_AT, currentOffsetDateTime())
                .where(API_KEYS.ID.in(ids))
                .and(API_KEYS.LAST_USED_AT.isNull().or(API_KEYS.LAST_USED_AT.lt(minuteAgo)))
                .execute());
    }

    static Field<OffsetDateTime> in(Duration duration) {
        return field("now() + {0} * interval '1 millisecond'", OffsetDateTime.class, val(duration.toMillis()));
    }

    private static StoredKey stored(ApiKeysRecord row) {
        return new StoredKey(
                row.getId(),
                HexFormat.of().formatHex(row.getDigest()),
                row.getPrefix(),
                row.getName(),
                Arrays.asList(row.getScopes()),
                row.getCreatedAt().toInstant(),
                row.getCreatedBy(),
                instant(row.getExpiresAt()),
                instant(row.getRevokedAt()),
                row.getRevokedBy(),
                instant(row.getLastUsedAt()));
    }

    private static Instant instant(OffsetDateTime at) {
        return at == null ? null : at.toInstant();
    }

    static <T> T translated(Supplier<T> query) {
        try {
            return query.get();
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }
}
