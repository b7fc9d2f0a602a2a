package dev.agentpipe.server.transfer;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * What one request carries: whole lines of events, or one session, compressed.
 *
 * @param gzip the body. Not to be changed.
 * @param isLines NDJSON, else JSON
 * @param lineFrom the first line's number in its file, from 1
 * @param lines how many there are; 1 for a session
 */
record Piece(byte[] gzip, boolean isLines, long lineFrom, int lines) {

    String contentType() {
        return isLines ? "application/x-ndjson" : "application/json";
    }

    /** For a server that takes less in one request than ours does by default. */
    List<Piece> halves() {
        Builder first = new Builder(isLines, lineFrom);
        Builder second = new Builder(isLines, lineFrom + lines / 2);
        try {
            LineReader reader = new LineReader(new GZIPInputStream(new ByteArrayInputStream(gzip)));
            for (byte[] line = reader.next(); line != null; line = reader.next()) {
                (reader.number() <= lines / 2 ? first : second).add(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (UnusableFileException e) {
            throw new IllegalStateException("lines that were read once cannot be too long", e);
        }
        return List.of(first.build(), second.build());
    }

    /** Compresses as it goes, so that what is not compressed need never be in memory as a whole. One thread at a time. */
    static final class Builder {

        private final ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        private final GZIPOutputStream gzip;
        private final boolean isLines;
        private final long lineFrom;
        private int lines;
        private long bytes;

        Builder(boolean isLines, long lineFrom) {
            this.isLines = isLines;
            this.lineFrom = lineFrom;
            try {
                gzip = new GZIPOutputStream(compressed, 1 << 16);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        Builder add(String text) {
            return add(text.getBytes(StandardCharsets.UTF_8));
        }

        Builder add(byte[] line) {
            return add(line, line.length);
        }

        Builder add(byte[] part, int length) {
            try {
                gzip.write(part, 0, length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            lines++;
            bytes += length;
            return this;
        }

        int lines() {
            return lines;
        }

        /** Before compression. */
        long bytes() {
            return bytes;
        }

        int compressedBytes() {
            return compressed.size();
        }

        Piece build() {
            try {
                gzip.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return new Piece(compressed.toByteArray(), isLines, lineFrom, isLines ? lines : 1);
        }
    }
}
