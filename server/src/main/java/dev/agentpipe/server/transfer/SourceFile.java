package dev.agentpipe.server.transfer;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/**
 * A file to upload, or standard input.
 *
 * @param path null for standard input
 * @param isNamed whether it was named by itself, not found in a folder
 */
public record SourceFile(Path path, boolean isNamed) {

    private static final int GZIP_MAGIC = 0x1F8B;

    static final String STANDARD_INPUT = "-";

    boolean isStandardInput() {
        return path == null;
    }

    /** Of lines by its name, whatever they hold. */
    boolean isOfLines() {
        return path != null && path.toString().matches("(?is).*\\.(jsonl|ndjson)(\\.gz)?");
    }

    /** What it holds, decompressed by its first bytes, not by its name. */
    InputStream open() throws IOException {
        InputStream raw = new BufferedInputStream(isStandardInput() ? System.in : Files.newInputStream(path), 1 << 16);
        try {
            raw.mark(2);
            int magic = raw.read() << 8 | raw.read();
            raw.reset();
            return magic == GZIP_MAGIC ? new BufferedInputStream(new GZIPInputStream(raw, 1 << 16), 1 << 16) : raw;
        } catch (IOException e) {
            raw.close();
            throw e;
        }
    }

    @Override
    public String toString() {
        return isStandardInput() ? "standard input" : path.toString();
    }
}
