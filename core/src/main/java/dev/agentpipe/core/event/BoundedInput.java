package dev.agentpipe.core.event;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/** Ends with an exception past a number of bytes: what a packed body unpacks to is not known before. One use, one thread. */
final class BoundedInput extends FilterInputStream {

    /** There are more bytes than may be. */
    static final class ExceededException extends IOException {
        private static final long serialVersionUID = 1;

        ExceededException() {
            super("more bytes than may be");
        }
    }

    private long left;

    BoundedInput(InputStream in, long bytesMax) {
        super(in);
        this.left = bytesMax;
    }

    @Override
    public int read() throws IOException {
        int next = super.read();
        return next < 0 ? next : counted(1) > 0 ? next : -1;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        return counted(super.read(bytes, from, length));
    }

    private int counted(int read) throws IOException {
        left -= Math.max(read, 0);
        if (left < 0) {
            throw new ExceededException();
        }
        return read;
    }

    /** Would pass by what counts. */
    @Override
    public boolean markSupported() {
        return false;
    }

    @Override
    public long skip(long count) {
        throw new UnsupportedOperationException();
    }
}
