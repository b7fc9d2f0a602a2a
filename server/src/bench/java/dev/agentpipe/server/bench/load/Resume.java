package dev.agentpipe.server.bench.load;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** One reader that comes back. */
public final class Resume {

    private static final int PATIENCE_MILLIS = 30_000;

    private Resume() {}

    /**
     * From connecting to the first event after an id.
     *
     * @param conversation number in {@link Messages} of the one that it reads; -1: all
     */
    public static double firstEventMillis(int port, Messages messages, String lastEventId, int conversation)
            throws IOException {
        boolean[] reset = new boolean[1];
        boolean[] arrived = new boolean[1];
        Stream stream = new Stream(conversation, new Stream.Listener() {
            @Override
            public void greeted(Stream one, boolean wasReset) {
                reset[0] = wasReset;
            }

            @Override
            public void event(Stream one, byte[] bytes, int from) {
                arrived[0] = true;
            }
        });
        byte[] buffer = new byte[256 << 10];
        long start = System.nanoTime();
        try (Socket socket = new Socket()) {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(PATIENCE_MILLIS);
            socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
            String request = StreamLoad.request(port, messages, conversation, lastEventId);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            while (!arrived[0]) {
                int held = stream.begin(buffer);
                int length = socket.getInputStream().read(buffer, held, buffer.length - held);
                if (length < 0 || reset[0]) {
                    throw new EOFException(reset[0] ? "the stream was reset" : "the stream ended");
                }
                stream.read(buffer, held + length);
            }
        }
        return (System.nanoTime() - start) / 1e6;
    }
}
