package dev.agentpipe.server.faults;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;

/** A socket with the smallest of receive buffers, read one byte at a time for a while. */
final class TrickleSocket extends Socket {

    private final int bytes;
    private InputStream in;

    /** @param bytes how many to read so */
    TrickleSocket(int bytes) throws IOException {
        this.bytes = bytes;
        setReceiveBufferSize(1);
    }

    @Override
    public synchronized InputStream getInputStream() throws IOException {
        if (in == null) {
            in = new Trickle(super.getInputStream());
        }
        return in;
    }

    private final class Trickle extends FilterInputStream {
        private int count;

        Trickle(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int read = super.read(into, offset, count < bytes ? Math.min(1, length) : length);
            count += Math.max(0, read);
            return read;
        }
    }
}
