package dev.agentpipe.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A key. Its value leaves this type only through {@link #value()}; wherever a key must be named (a log, an
 * error, a record that is printed), {@link #toString()} does it: its prefix and 8 characters of its digest.
 *
 * @param value 8 to 512 visible ASCII characters without a comma: what an {@code Authorization} header can carry, and a
 *     comma separated list can hold
 */
public record ApiKey(String value) {

    static final int LENGTH_MIN = 8;
    static final int LENGTH_MAX = 512;

    private static final String LIVE_PREFIX = "ap_live_";
    public static final String TEST_PREFIX = "ap_test_";
    private static final int RANDOM_BYTES = 32;
    private static final int TEST_RANDOM_BYTES = 24;

    public ApiKey {
        String problem = problem(value);
        if (problem != null) {
            throw new IllegalArgumentException("an API key " + problem);
        }
    }

    /** A new key of 256 random bits. */
    public static ApiKey generate(SecureRandom random) {
        return generate(LIVE_PREFIX, RANDOM_BYTES, random);
    }

    /** A new key for what is no production, of 192 random bits. */
    public static ApiKey generateTest(SecureRandom random) {
        return generate(TEST_PREFIX, TEST_RANDOM_BYTES, random);
    }

    private static ApiKey generate(String prefix, int randomBytes, SecureRandom random) {
        byte[] bytes = new byte[randomBytes];
        random.nextBytes(bytes);
        return new ApiKey(prefix + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /** What is wrong with this as a key, without saying any of it; null if nothing is. */
    static String problem(String value) {
        if (value.length() < LENGTH_MIN || value.length() > LENGTH_MAX) {
            return "has %d characters, allowed are %d to %d".formatted(value.length(), LENGTH_MIN, LENGTH_MAX);
        }
        if (!isCarried(value)) {
            return "holds a space, a comma, a control character or one outside of ASCII";
        }
        return null;
    }

    /** Whether this can be a key at all. */
    public static boolean isOne(String value) {
        return value.length() >= LENGTH_MIN && value.length() <= LENGTH_MAX && isCarried(value);
    }

    /** Whether there may be one in a text that somebody sent as something else: then it must not be repeated. */
    public static boolean isIn(String text) {
        return text.contains(LIVE_PREFIX) || text.contains(TEST_PREFIX);
    }

    /** No stream: each request comes by here. */
    private static boolean isCarried(String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == ',') {
                return false;
            }
        }
        return true;
    }

    /**
     * SHA-256 of the value. Keys are compared, and found in maps, by digest alone: how long that takes depends on a digest that
     * nobody can steer, so it tells nothing of how much of a key was guessed right.
     */
    public byte[] digest() {
        return digest(value);
    }

    /** The digest that a key of this value has. */
    public static byte[] digest(String value) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** What its value begins with, which tells its kind; empty for one that somebody else has made. */
    public String prefix() {
        return value.startsWith(LIVE_PREFIX) ? LIVE_PREFIX : value.startsWith(TEST_PREFIX) ? TEST_PREFIX : "";
    }

    /** 8 characters of its digest. */
    public String id() {
        return HexFormat.of().formatHex(digest(), 0, 4);
    }

    /** The key's name for people, such as {@code ap_live_…1f3a9c02}. */
    @Override
    public String toString() {
        return prefix() + "…" + id();
    }
}
