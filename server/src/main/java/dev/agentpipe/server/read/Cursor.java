package dev.agentpipe.server.read;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/**
 * The place where a page of some question ended, as an opaque word. A digest of question and place goes with it, by which a
 * cursor that belongs to another question, or was damaged, is told from one that was given out. It is no secret: who makes one
 * by hand gets the page that he asks for.
 */
final class Cursor {

    private static final int DIGEST_BYTES = 8;

    private Cursor() {}

    static String of(String question, String place) {
        byte[] text = place.getBytes(StandardCharsets.UTF_8);
        byte[] bytes = Arrays.copyOf(digest(question, place), DIGEST_BYTES + text.length);
        System.arraycopy(text, 0, bytes, DIGEST_BYTES, text.length);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** The place; empty if this is no cursor of the question. */
    static Optional<String> place(String question, String cursor) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(cursor);
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (bytes.length <= DIGEST_BYTES) {
            return Optional.empty();
        }
        String place = new String(bytes, DIGEST_BYTES, bytes.length - DIGEST_BYTES, StandardCharsets.UTF_8);
        return of(question, place).equals(cursor) ? Optional.of(place) : Optional.empty();
    }

    private static byte[] digest(String question, String place) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest((question + '\n' + place).getBytes(StandardCharsets.UTF_8));
            return Arrays.copyOf(digest, DIGEST_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
