package dev.agentpipe.server.upload;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A body in a file without a name: it is deleted while it is open, so whatever ends this process, nothing of it stays. One
 * thread at a time.
 */
final class SpooledBody implements AutoCloseable {

    private final FileChannel file;

    private SpooledBody(FileChannel file) {
        this.file = file;
    }

    /** In the folder for temporary files. */
    static SpooledBody create() throws IOException {
        Path path = Files.createTempFile("agentpipe-upload-", null);
        try {
            return new SpooledBody(FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } finally {
            Files.delete(path);
        }
    }

    void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }

    /** From the beginning; several may be read one after the other. */
    InputStream read() {
        return new InputStream() {
            private long position;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] bytes, int from, int length) throws IOException {
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("the server is stopping");
                }
                int read = length == 0 ? 0 : file.read(ByteBuffer.wrap(bytes, from, length), position);
                position += Math.max(read, 0);
                return read;
            }
        };
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new IllegalStateException("a file without a name was not closed", e);
        }
    }
}
