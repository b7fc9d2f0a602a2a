package dev.agentpipe.server.keys;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.keys.KeyTokens;
import dev.agentpipe.db.keys.KeyTokens.Kind;
import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.http.Caller;
import dev.agentpipe.server.http.Callers.Known;
import dev.agentpipe.server.http.Scope;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What is made from a key for those who cannot send one: sessions and tickets. Each is a random number that is stored by its
 * digest alone: who reads the database gets none. A seal, which all servers can check, keeps those that nobody has made from
 * costing a look into the database; it proves nothing else.
 *
 * <p>Sessions that this node has seen are in memory, where their end is looked for when anything has changed. Thread-safe.
 */
final class Sessions {

    /** A day's work; then the key is asked for again. */
    static final Duration SESSION = Duration.ofHours(12);

    static final Duration TICKET = Duration.ofSeconds(60);

    private static final int RANDOM_BYTES = 24;
    private static final int SEAL_BYTES = 12;
    private static final int TOKEN_CHARS = (RANDOM_BYTES + SEAL_BYTES) * 4 / 3;

    /** A browser can do what its user could, but not feed the server. */
    private static final Set<Scope> SESSION_SCOPES = EnumSet.of(Scope.READ, Scope.ADMIN);

    private static final Set<Scope> TICKET_SCOPES = EnumSet.of(Scope.READ);

    private final Keyring keyring;
    private final KeyTokens store;
    private final SecureRandom random = new SecureRandom();
    private final Map<String, Session> seen = new ConcurrentHashMap<>();

    /** Some may have been ended. Owned by the thread that refreshes. */
    private boolean unsure;

    /** A token that was just made: the only time that its text is there. */
    record Made(String text, Instant expiresAt) {}

    private static final class Session {
        private final KeyTokens.Token token;
        private volatile boolean ended;

        Session(KeyTokens.Token token) {
            this.token = token;
        }
    }

    Sessions(Keyring keyring, KeyTokens store) {
        this.keyring = keyring;
        this.store = store;
    }

    /**
     * Makes one; blocks.
     *
     * @param keyId without the prefix
     * @return empty if the key has too many
     */
    Optional<Made> make(Kind kind, String keyId, Duration lifetime) {
        byte[] token = new byte[RANDOM_BYTES + SEAL_BYTES];
        byte[] number = new byte[RANDOM_BYTES];
        random.nextBytes(number);
        System.arraycopy(number, 0, token, 0, RANDOM_BYTES);
        System.arraycopy(seal(kind, number), 0, token, RANDOM_BYTES, SEAL_BYTES);
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(token);
        return store.add(kind, digest(text), keyId, lifetime).map(added -> new Made(text, added.expiresAt()));
    }

    /** What is left of a key's scopes. */
    static Set<Scope> inSession(Set<Scope> scopes) {
        return common(SESSION_SCOPES, scopes);
    }

    private static Set<Scope> common(Set<Scope> some, Set<Scope> others) {
        Set<Scope> common = EnumSet.copyOf(some);
        common.retainAll(others);
        return common;
    }

    /** Whether some server has made this; it may have ended since. */
    boolean isSealed(Kind kind, String text) {
        if (text.length() != TOKEN_CHARS) {
            return false;
        }
        try {
            byte[] token = Base64.getUrlDecoder().decode(text);
            byte[] seal = Arrays.copyOfRange(token, RANDOM_BYTES, token.length);
            return MessageDigest.isEqual(seal, seal(kind, Arrays.copyOf(token, RANDOM_BYTES)));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private byte[] seal(Kind kind, byte[] number) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(keyring.tokenSeal(), "HmacSHA256"));
            mac.update(kind.name().getBytes(StandardCharsets.US_ASCII));
            return Arrays.copyOf(mac.doFinal(number), SEAL_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    /** Who a session is, if this node has seen it; never blocks. */
    Optional<Known> seen(String text) {
        return Optional.ofNullable(seen.get(digest(text))).map(this::known);
    }

    /** Who a session is; blocks. */
    Known find(String text) {
        String digest = digest(text);
        Optional<KeyTokens.Token> token = store.session(digest);
        token.ifPresent(found -> seen.putIfAbsent(digest, new Session(found)));
        Session session = seen.get(digest);
        return session == null ? Known.Bad.UNKNOWN : known(session);
    }

    private Known known(Session session) {
        return as(session.token, SESSION_SCOPES, session);
    }

    /** Who a ticket stands for, once; blocks. */
    Known takeTicket(String text) {
        return store.takeTicket(digest(text))
                .map(token -> as(token, TICKET_SCOPES, null))
                .orElse(Known.Bad.UNKNOWN);
    }

    /** @param session whose end is that of its caller; null for a ticket, which has none */
    private Known as(KeyTokens.Token token, Set<Scope> most, Session session) {
        Known known = keyring.ofId(token.keyId());
        if (!(known instanceof Known.Good good)) {
            return known;
        }
        if (session != null && !isGood(session)) {
            return Known.Bad.UNKNOWN;
        }
        Caller key = good.caller();
        return new Known.Good(new Caller(
                key.keyId(),
                common(most, key.scopes()),
                session == null
                        ? key.isGood()
                        : () -> isGood(session) && key.isGood().getAsBoolean()));
    }

    private boolean isGood(Session session) {
        return !session.ended && keyring.now().isBefore(session.token.expiresAt());
    }

    /** Ends a session everywhere, here at once; blocks. */
    void end(String text) {
        String digest = digest(text);
        store.end(digest);
        forget(digest);
    }

    private void forget(String digest) {
        Session session = seen.remove(digest);
        if (session != null) {
            session.ended = true;
        }
    }

    /**
     * Forgets those that have expired, and, where anything has changed, those that are ended; blocks.
     *
     * @return whether there were any
     */
    boolean refresh(boolean hasChanged) {
        boolean any = false;
        for (Map.Entry<String, Session> entry : seen.entrySet()) {
            if (!isGood(entry.getValue())) {
                forget(entry.getKey());
                any = true;
            }
        }
        unsure |= hasChanged;
        if (unsure && !seen.isEmpty()) {
            try {
                Set<String> all = Set.copyOf(seen.keySet());
                Set<String> good = store.sessions(all);
                for (String digest : all) {
                    if (!good.contains(digest)) {
                        forget(digest);
                        any = true;
                    }
                }
            } catch (LogUnavailableException away) {
                return any; // and once more with the next one
            }
        }
        unsure = false;
        return any;
    }

    /** Makes room in the database; blocks. */
    void deleteExpired() {
        store.deleteExpired();
    }

    private static String digest(String text) {
        return HexFormat.of().formatHex(ApiKey.digest(text));
    }
}
