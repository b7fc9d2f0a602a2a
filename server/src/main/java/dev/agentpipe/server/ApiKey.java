package dev.agentpipe.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;

/**
 * A key that may ingest. Its value leaves this type only through {@link #value()}; wherever a key must be named (a log, an
 * error, a record that is printed), {@link #toString()} does it: its prefix and 8 characters of its digest.
 *
 * @param value 8 to 512 visible ASCII characters without a comma: what an {@code Authorization} header can carry, and a
 *     comma separated list can hold
 */
public record ApiKey(String value) {

    static final int LENGTH_MIN = 8;
    static final int LENGTH_MAX = 512;

    private static final String LIVE_PREFIX = "ap_live_";
    private static final String TEST_PREFIX = "ap_test_";
    private static final int RANDOM_BYTES = 32;

    public ApiKey {
        String problem = problem(value);
        if (problem != null) {
            throw new IllegalArgumentException("an API key " + problem);
        }
    }

    /** A new key of 256 random bits. */
    static ApiKey generate(SecureRandom random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return new ApiKey(LIVE_PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /** What is wrong with this as a key, without saying any of it; null if nothing is. */
    static String problem(String value) {
        if (value.length() < LENGTH_MIN || value.length() > LENGTH_MAX) {
            return "has %d characters, allowed are %d to %d".formatted(value.length(), LENGTH_MIN, LENGTH_MAX);
        }
        if (!value.chars().allMatch(c -> c > ' ' && c < 0x7f && c != ',')) {
            return "holds a space, a comma, a control character or one outside of ASCII";
        }
        return null;
    }

    /** SHA-256 of the value. Compare keys by digest, with {@link MessageDigest#isEqual}, so that time tells nothing. */
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

    /** The key's name for people, such as {@code ap_live_…1f3a9c02}. */
    @Override
    public String toString() {
        String prefix = value.startsWith(LIVE_PREFIX) ? LIVE_PREFIX : value.startsWith(TEST_PREFIX) ? TEST_PREFIX : "";
        return prefix + "…" + HexFormat.of().formatHex(digest(), 0, 4);
    }
}
