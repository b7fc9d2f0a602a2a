package dev.agentpipe.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A stream, read byte by byte: what stands in the head, and the blocks of the body as they are on the wire, without the
 * chunk framing, which is checked on the way.
 */
public final class RawStream implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 20_000;

    private final Socket socket;
    private final InputStream in;
    private final String head;
    private final boolean chunked;
    private long chunkLeft;
    private boolean ended;

    private RawStream(Socket socket, String version, String path, String... headers) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
        StringBuilder request = new StringBuilder("GET " + path + " " + version + "\r\nHost: localhost\r\n");
        for (int i = 0; i < headers.length; i += 2) {
            request.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        socket.getOutputStream().write(request.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        this.head = readHead();
        this.chunked = head.toLowerCase(Locale.ROOT).contains("\r\ntransfer-encoding: chunked\r\n");
    }

    public static RawStream open(int port, String version, String path, String... headers) throws IOException {
        return open(new Socket(), port, version, path, headers);
    }

    /** On a socket that was given its options. */
    public static RawStream open(Socket socket, int port, String version, String path, String... headers)
            throws IOException {
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
        return new RawStream(socket, version, path, headers);
    }

    private String readHead() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (!bytes.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException("in the head: " + bytes);
            }
            bytes.write(next);
        }
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    public String head() {
        return head;
    }

    public int status() {
        return Integer.parseInt(head.split(" ")[1]);
    }

    /** The next byte of the body; -1 at its orderly end. */
    private int read() throws IOException {
        if (ended) {
            return -1;
        }
        if (!chunked) {
            int next = in.read();
            ended = next < 0;
            return next;
        }
        if (chunkLeft == 0) {
            chunkLeft = Long.parseLong(line(), 16);
            if (chunkLeft == 0) {
                expect("");
                ended = true;
                return -1;
            }
        }
        int next = in.read();
        if (next < 0) {
            throw new EOFException("in a chunk");
        }
        if (--chunkLeft == 0) {
            expect("");
        }
        return next;
    }

    private void expect(String line) throws IOException {
        String got = line();
        if (!got.equals(line)) {
            throw new IOException("broken chunk framing: " + got);
        }
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("between chunks");
            }
            line.append((char) next);
        }
        if (line.isEmpty() || line.charAt(line.length() - 1) != '\r') {
            throw new IOException("a chunk's line ends without CR: " + line);
        }
        return line.substring(0, line.length() - 1);
    }

    /** The next block, up to and with its empty line, as it is on the wire; null at the orderly end. */
    public String block() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int last = 0;
        for (int next = read(); next >= 0; next = read()) {
            bytes.write(next);
            if (next == '\n' && last == '\n') {
                String block = bytes.toString(StandardCharsets.UTF_8);
                SecretsSearch.answered(block);
                return block;
            }
            last = next;
        }
        if (bytes.size() > 0) {
            throw new EOFException("in a block: " + bytes.toString(StandardCharsets.UTF_8));
        }
        return null;
    }

    /** The next block that has a data line; heartbeats are passed over. */
    public String event() throws IOException {
        for (String block = block(); block != null; block = block()) {
            if (block.contains("data: ")) {
                return block;
            }
        }
        return null;
    }

    public List<String> events(int count) throws IOException {
        List<String> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            events.add(event());
        }
        return events;
    }

    /** What stands after {@code id: } in a block. */
    public static String id(String block) {
        return field(block, "id");
    }

    public static String data(String block) {
        return field(block, "data");
    }

    public static String field(String block, String name) {
        for (String line : block.split("\n")) {
            if (line.startsWith(name + ": ")) {
                return line.substring(name.length() + 2);
            }
        }
        return null;
    }

    /** The number after the epoch. */
    public static long position(String block) {
        String id = id(block);
        return Long.parseLong(id.substring(id.lastIndexOf('-') + 1));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
