package dev.agentpipe.core.event;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.UUID;

/**
 * What makes two events the same event sent twice, as 16 bytes for a unique index.
 *
 * <p>Clients retry, and send their local file later, byte for byte the same. Messages have an id of their own, whatever
 * else changes; the same id with another content is then a conflict, which the log notices. A conversation starts once,
 * so its start is the conversation's id: a second start with other content is a repeat too. All other events are their
 * type, conversation, time, and data exactly as sent; no field of them is known to be unique. An event without a
 * timestamp got the server's time and so is never a repeat.
 *
 * <p>The input of the digest begins with its kind, and each part with its length: otherwise a hostile client could
 * move bytes from one part to the next and make its event pass for another one. 16 of SHA-256's 32 bytes: to meet an
 * existing one takes 2^128 tries, and the index is half as large.
 */
final class Identity {

    private static final int LENGTH = 16;
    private static final byte[] MESSAGE = ascii("message");
    private static final byte[] STARTED = ascii("started");

    private Identity() {}

    static byte[] ofMessage(String messageId) {
        return digest(MESSAGE, utf8(messageId));
    }

    static byte[] ofStart(String conversationId) {
        return digest(STARTED, utf8(conversationId));
    }

    /** @param conversationId null for an event outside of any */
    static byte[] of(EventType type, String conversationId, long atMicros, byte[] data) {
        byte[] at = ByteBuffer.allocate(Long.BYTES).putLong(atMicros).array();
        return digest(ascii(type.wireName()), utf8(conversationId), at, data);
    }

    /** A UUID of version 8 (RFC 9562, section 5.8: any content). */
    static String uuid(byte[] identity) {
        ByteBuffer bytes = ByteBuffer.wrap(identity);
        long high = bytes.getLong() & ~0xF000L | 0x8000L;
        long low = bytes.getLong() & ~(0b11L << 62) | 0b10L << 62;
        return new UUID(high, low).toString();
    }

    /** Texts as one, so that no two lists of them look alike; null is as good as empty. */
    static byte[] parts(String... texts) {
        byte[][] parts = new byte[texts.length][];
        for (int i = 0; i < texts.length; i++) {
            parts[i] = utf8(texts[i]);
        }
        return joined(parts);
    }

    private static byte[] digest(byte[]... parts) {
        return Arrays.copyOf(sha256().digest(joined(parts)), LENGTH);
    }

    private static byte[] joined(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += Integer.BYTES + part.length;
        }
        ByteBuffer joined = ByteBuffer.allocate(length);
        for (byte[] part : parts) {
            joined.putInt(part.length).put(part);
        }
        return joined.array();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static byte[] utf8(String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
