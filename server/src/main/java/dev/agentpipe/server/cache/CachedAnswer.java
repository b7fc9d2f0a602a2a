package dev.agentpipe.server.cache;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/**
 * A body, and when it was true.
 *
 * @param since position of the log before its data were read
 * @param json not to be changed
 * @param isPlaced whether the place in the log is to be put into it
 * @param tag its opaque tag, the same on every node
 */
public record CachedAnswer(long since, byte[] json, boolean isPlaced, String tag) {

    /** Short enough for a header, too long to be met twice. */
    private static final int TAG_BYTES = 16;

    private static final int HEAD_BYTES = Long.BYTES + 1;

    public static CachedAnswer of(long since, byte[] json, boolean isPlaced) {
        return new CachedAnswer(since, json, isPlaced, digest(json));
    }

    static String digest(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return Base64.getUrlEncoder().withoutPadding().encodeToString(Arrays.copyOf(digest, TAG_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    byte[] toBytes() {
        return ByteBuffer.allocate(HEAD_BYTES + json.length)
                .putLong(since)
                .put((byte) (isPlaced ? 1 : 0))
                .put(json)
                .array();
    }

    /** Empty for what no node has written. */
    static Optional<CachedAnswer> ofBytes(byte[] bytes) {
        if (bytes.length <= HEAD_BYTES || bytes[HEAD_BYTES] != '{') {
            return Optional.empty();
        }
        long since = ByteBuffer.wrap(bytes).getLong();
        byte[] json = Arrays.copyOfRange(bytes, HEAD_BYTES, bytes.length);
        return Optional.of(of(since, json, bytes[Long.BYTES] == 1));
    }
}
