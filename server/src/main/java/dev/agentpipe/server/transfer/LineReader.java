package dev.agentpipe.server.transfer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** The lines of a stream of bytes, one in memory at a time. One thread at a time. */
final class LineReader {

    /** Above any event that a server takes: what has longer lines is no event file. */
    static final int LINE_BYTES_MAX = 8 << 20;

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(1 << 12);
    private int next;
    private int end;
    private long number;
    private boolean isComplete;

    LineReader(InputStream in) {
        this.in = in;
    }

    /**
     * The next line with its line break, if it has one; null after the last.
     *
     * @throws UnusableFileException if it is longer than any event
     */
    byte[] next() throws IOException, UnusableFileException {
        line.reset();
        isComplete = false;
        while (!isComplete && fill()) {
            int from = next;
            while (next < end && !isComplete) {
                isComplete = buffer[next++] == '\n';
            }
            if (line.size() + next - from > LINE_BYTES_MAX) {
                throw new UnusableFileException(
                        "line " + (number + 1) + " has more than " + LINE_BYTES_MAX + " bytes: no file of events");
            }
            line.write(buffer, from, next - from);
        }
        if (line.size() == 0) {
            return null;
        }
        number++;
        return line.toByteArray();
    }

    private boolean fill() throws IOException {
        if (next == end) {
            next = 0;
            end = Math.max(0, in.read(buffer));
        }
        return end > 0;
    }

    /** Of the line that was returned last, from 1. */
    long number() {
        return number;
    }

    /** Whether the line that was returned last has its line break. */
    boolean isComplete() {
        return isComplete;
    }
}
