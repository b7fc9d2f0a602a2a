package dev.agentpipe.server.bench.load;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads the answers of a connection, one after the other. An answer that comes in one piece, as nearly all do, is looked
 * at where it lies.
 *
 * <p>Confined to one thread.
 */
final class Answer {

    private static final byte[] LENGTH = "\r\ncontent-length:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ACCEPTED = "\"accepted\":".getBytes(StandardCharsets.US_ASCII);

    /** What came of an answer that is not complete yet; null between answers. */
    private byte[] held;

    private int status;
    private int accepted;

    /** Takes bytes; true if they complete the answer. There is never more than one under way. */
    boolean complete(byte[] bytes, int length) throws IOException {
        byte[] all = bytes;
        int end = length;
        if (held != null) {
            all = Arrays.copyOf(held, held.length + length);
            System.arraycopy(bytes, 0, all, held.length, length);
            end = all.length;
        }
        int body = HttpHead.end(all, 0, end);
        if (body >= 0) {
            status = HttpHead.status(all, 0);
            int at = HttpHead.find(all, 0, body, LENGTH);
            if (at < 0) {
                throw new IOException("an answer without Content-Length, status " + status);
            }
            int total = body + (int) HttpHead.number(all, at + LENGTH.length);
            if (end > total) {
                throw new IOException("more than one answer");
            }
            if (end == total) {
                int found = HttpHead.find(all, body, end, ACCEPTED);
                accepted = found < 0 ? 0 : (int) HttpHead.number(all, found + ACCEPTED.length);
                held = null;
                return true;
            }
        }
        held = all == bytes ? Arrays.copyOf(bytes, length) : all;
        return false;
    }

    int status() {
        return status;
    }

    /** How many events of a batch were accepted; 0 in other answers. */
    int accepted() {
        return accepted;
    }
}
