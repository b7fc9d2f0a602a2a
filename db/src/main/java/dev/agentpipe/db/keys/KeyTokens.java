package dev.agentpipe.db.keys;

import static dev.agentpipe.db.generated.Tables.KEY_STATE;
import static dev.agentpipe.db.generated.Tables.KEY_TOKENS;
import static org.jooq.impl.DSL.field;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.postgres.Statements;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/**
 * What is made from a key and stands for it: by the SHA-256 of its text, in hexadecimal. Thread-safe; all methods block, and
 * throw {@link LogUnavailableException} while the database is away.
 */
public final class KeyTokens {

    /** What a token is good for, and how many of them a key may have at a time. */
    public enum Kind {
        /** A browser that was logged in. */
        SESSION(1_000),
        /** One stream. */
        TICKET(10_000);

        private final int perKeyMax;

        Kind(int perKeyMax) {
            this.perKeyMax = perKeyMax;
        }

        private String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** A token that is good now. */
    public record Token(String keyId, Instant expiresAt) {}

    private final DSLContext sql;

    public KeyTokens(DSLContext sql) {
        this.sql = Statements.named(sql, "key_tokens");
    }

    /** Empty if the key has as many as it may. */
    public Optional<Token> add(Kind kind, String digest, String keyId, Duration lifetime) {
        return ApiKeys.translated(() -> {
            Condition others = KEY_TOKENS
                    .KEY_ID
                    .eq(keyId)
                    .and(KEY_TOKENS.KIND.eq(kind.label()))
                    .and(isGood());
            if (sql.fetchCount(sql.selectOne().from(KEY_TOKENS).where(others).limit(kind.perKeyMax))
                    >= kind.perKeyMax) {
                return Optional.empty();
            }
            return sql.insertInto(KEY_TOKENS)
                    .set(KEY_TOKENS.DIGEST, bytes(digest))
                    .set(KEY_TOKENS.KIND, kind.label())
                    .set(KEY_TOKENS.KEY_ID, keyId)
                    .set(KEY_TOKENS.EXPIRES_AT, ApiKeys.in(lifetime))
                    .returningResult(KEY_TOKENS.EXPIRES_AT)
                    .fetchOptional(row -> new Token(keyId, row.value1().toInstant()));
        });
    }

    public Optional<Token> session(String digest) {
        return ApiKeys.translated(() -> sql.select(KEY_TOKENS.KEY_ID, KEY_TOKENS.EXPIRES_AT)
                .from(KEY_TOKENS)
                .where(KEY_TOKENS.DIGEST.eq(bytes(digest)))
                .and(KEY_TOKENS.KIND.eq(Kind.SESSION.label()))
                .and(isGood())
                .fetchOptional(row -> new Token(row.value1(), row.value2().toInstant())));
    }

    /** Those of these sessions that still are good. */
    public Set<String> sessions(Collection<String> digests) {
        List<byte[]> all = digests.stream().map(KeyTokens::bytes).toList();
        return ApiKeys.translated(() -> sql.select(KEY_TOKENS.DIGEST)
                .from(KEY_TOKENS)
                .where(KEY_TOKENS.DIGEST.eq(DSL.any(all.toArray(byte[][]::new))))
                .and(isGood())
                .fetchSet(row -> HexFormat.of().formatHex(row.value1())));
    }

    /** Ends a session, on all servers. */
    public void end(String digest) {
        ApiKeys.translated(() -> sql.transactionResult(configuration -> {
            DSLContext transaction = DSL.using(configuration);
            transaction
                    .deleteFrom(KEY_TOKENS)
                    .where(KEY_TOKENS.DIGEST.eq(bytes(digest)))
                    .execute();
            return transaction
                    .update(KEY_STATE)
                    .set(KEY_STATE.VERSION, KEY_STATE.VERSION.plus(1))
                    .execute();
        }));
    }

    /** Uses a ticket up; of several who try at once, on whatever server, one gets it. */
    public Optional<Token> takeTicket(String digest) {
        return ApiKeys.translated(() -> sql.deleteFrom(KEY_TOKENS)
                .where(KEY_TOKENS.DIGEST.eq(bytes(digest)))
                .and(KEY_TOKENS.KIND.eq(Kind.TICKET.label()))
                .and(isGood())
                .returningResult(KEY_TOKENS.KEY_ID, KEY_TOKENS.EXPIRES_AT)
                .fetchOptional(row -> new Token(row.value1(), row.value2().toInstant())));
    }

    /** Makes room. */
    public void deleteExpired() {
        ApiKeys.translated(
                () -> sql.deleteFrom(KEY_TOKENS).where(DSL.not(isGood())).execute());
    }

    private static Condition isGood() {
        return KEY_TOKENS.EXPIRES_AT.gt(field("now()", KEY_TOKENS.EXPIRES_AT.getDataType()));
    }

    private static byte[] bytes(String digest) {
        return HexFormat.of().parseHex(digest);
    }
}
