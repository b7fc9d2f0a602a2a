package dev.agentpipe.server.bench.load;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Readers that misbehave, a quarter each:
 *
 * <ul>
 *   <li>They open a stream and never read it, with the smallest receive buffer there is. To the server this is also a
 *       machine that vanished without a FIN: nothing is taken, nothing is said. (Packets that get lost cannot be had on a
 *       loopback interface without a firewall.)
 *   <li>They read one byte a second.
 *   <li>They open a stream and cut it a second later with a reset, again and again.
 *   <li>They connect and never send a request.
 * </ul>
 *
 * <p>They are the work of the thread {@code bench-bad-readers}.
 */
public final class BadReaders implements AutoCloseable {

    private static final int RECEIVE_BUFFER_BYTES = 4_096;
    private static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final int port;
    private final List<Socket> stopped = new ArrayList<>();
    private final List<Socket> slow = new ArrayList<>();
    private final List<Socket> resetting = new ArrayList<>();
    private final List<Socket> silent = new ArrayList<>();
    private final Thread thread = new Thread(this::run, "bench-bad-readers");
    private volatile boolean closing;
    private volatile IOException failure;

    /** @param count a multiple of four */
    public BadReaders(int port, int count) throws IOException {
        this.port = port;
        for (int i = 0; i < count / 4; i++) {
            stopped.add(open(true));
            slow.add(open(true));
            resetting.add(open(true));
            silent.add(open(false));
        }
        thread.setDaemon(true);
        thread.start();
    }

    private Socket open(boolean withRequest) throws IOException {
        Socket socket = new Socket();
        socket.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
        socket.connect(new InetSocketAddress("127.0.0.1", port));
        if (withRequest) {
            String request = "GET /api/realtime/stream HTTP/1.1\r\nHost: 127.0.0.1:" + port + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        }
        return socket;
    }

    private void run() {
        try {
            while (!closing) {
                LockSupport.parkNanos(SECOND_NANOS);
                for (Socket socket : slow) {
                    InputStream in = socket.getInputStream();
                    if (in.available() > 0 && in.read() < 0) {
                        throw new IOException("a slow reader was cut off");
                    }
                }
                for (int i = 0; i < resetting.size() && !closing; i++) {
                    reset(resetting.get(i));
                    resetting.set(i, open(true));
                }
            }
        } catch (IOException e) {
            failure = e;
        }
    }

    /** Closes with a reset in place of a FIN. */
    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** How many of those who stopped, by now, the server has disconnected. Reads what they have not. */
    public int disconnected() throws IOException {
        int count = 0;
        for (Socket socket : stopped) {
            socket.setSoTimeout(200);
            try {
                InputStream in = socket.getInputStream();
                byte[] bytes = new byte[64 << 10];
                int length = in.read(bytes);
                while (length >= 0) {
                    length = in.read(bytes);
                }
                count++;
            } catch (SocketTimeoutException stillThere) {
                continue;
            } catch (IOException reset) {
                count++;
            }
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        closing = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (List<Socket> sockets : List.of(stopped, slow, resetting, silent)) {
            for (Socket socket : sockets) {
                reset(socket);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
