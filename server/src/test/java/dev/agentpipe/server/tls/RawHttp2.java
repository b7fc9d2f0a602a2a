package dev.agentpipe.server.tls;

import io.undertow.protocols.http2.HpackDecoder;
import io.undertow.protocols.http2.HpackException;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** An HTTP/2 connection of a client that sends exactly the frames it is told to, and opens windows only when told to. */
public final class RawHttp2 implements AutoCloseable {

    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;

    public static final int END_STREAM = 1;
    public static final int END_HEADERS = 4;

    public static final int SETTING_HEADER_TABLE_SIZE = 1;
    public static final int SETTING_INITIAL_WINDOW_SIZE = 4;

    public static final int REFUSED_STREAM = 7;
    public static final int CANCEL = 8;
    public static final int ENHANCE_YOUR_CALM = 11;

    private final SSLSocket socket;
    private final DataInputStream in;
    private final HpackDecoder decoder = new HpackDecoder(1 << 20);
    private final Map<Integer, Map<String, String>> heads = new TreeMap<>();
    private int lastStream = -1;

    public record Frame(int type, int flags, int stream, byte[] payload) {

        /** Of a reset; of a farewell it is the second number. */
        public int code() {
            return ByteBuffer.wrap(payload).getInt(type == GOAWAY ? 4 : 0);
        }

        public String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }

        public boolean isLast() {
            return (flags & END_STREAM) != 0;
        }
    }

    private RawHttp2(SSLSocket socket) throws IOException {
        this.socket = socket;
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(new String[] {"h2"});
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        this.in = new DataInputStream(socket.getInputStream());
    }

    /** @param settings numbers and values, in turns */
    public static RawHttp2 open(int port, int... settings) throws IOException {
        RawHttp2 http = new RawHttp2(TestTls.connect(port));
        http.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        ByteBuffer payload = ByteBuffer.allocate(settings.length * 3);
        for (int i = 0; i < settings.length; i += 2) {
            payload.putShort((short) settings[i]).putInt(settings[i + 1]);
        }
        http.frame(SETTINGS, 0, 0, payload.array());
        return http;
    }

    /** After the handshake, without a word. */
    public static RawHttp2 openSilently(int port) throws IOException {
        return new RawHttp2(TestTls.connect(port));
    }

    public String protocol() {
        return socket.getApplicationProtocol();
    }

    /** Opens a stream; returns its number. */
    public int get(String path, String... headers) throws IOException {
        return request("GET", path, END_STREAM | END_HEADERS, headers);
    }

    public int request(String method, String path, int flags, String... headers) throws IOException {
        lastStream += 2;
        frame(HEADERS, flags, lastStream, head(method, path, headers));
        return lastStream;
    }

    /** As literals that are never indexed. */
    public static byte[] head(String method, String path, String... headers) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put(":method", method);
        all.put(":scheme", "https");
        all.put(":path", path);
        all.put(":authority", "agentpipe.test");
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        all.forEach((name, value) -> {
            if (value != null) {
                block.write(0x10);
                string(block, name);
                string(block, value);
            }
        });
        return block.toByteArray();
    }

    private static void string(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        int length = bytes.length;
        if (length < 127) {
            block.write(length);
        } else {
            block.write(127);
            for (length -= 127; length >= 128; length >>= 7) {
                block.write(length & 127 | 128);
            }
            block.write(length);
        }
        block.writeBytes(bytes);
    }

    public void data(int stream, String text, boolean last) throws IOException {
        frame(DATA, last ? END_STREAM : 0, stream, text.getBytes(StandardCharsets.UTF_8));
    }

    public void reset(int stream) throws IOException {
        frame(RST_STREAM, 0, stream, ByteBuffer.allocate(4).putInt(CANCEL).array());
    }

    /** @param stream 0: that of the connection */
    public void openWindow(int stream, int bytes) throws IOException {
        frame(WINDOW_UPDATE, 0, stream, ByteBuffer.allocate(4).putInt(bytes).array());
    }

    public void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        write(ByteBuffer.allocate(9 + payload.length)
                .put((byte) (payload.length >> 16))
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array());
    }

    public void write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** The next frame. */
    public Frame read() throws IOException {
        int lengthAndType = in.readInt();
        Frame frame = new Frame(
                lengthAndType & 0xff, in.readUnsignedByte(), in.readInt(), in.readNBytes(lengthAndType >>> 8));
        if (frame.type == HEADERS) {
            heads.put(frame.stream, decoded(frame));
        }
        return frame;
    }

    private Map<String, String> decoded(Frame frame) throws IOException {
        Map<String, String> head = new TreeMap<>();
        decoder.setHeaderEmitter((name, value, neverIndex) -> head.put(name.toString(), value));
        try {
            decoder.decode(ByteBuffer.wrap(frame.payload), false);
        } catch (HpackException e) {
            throw new IOException(e);
        }
        return head;
    }

    /** The next frame of this type and stream; others are passed over. */
    public Frame await(int type, int stream) throws IOException {
        for (Frame frame = read(); ; frame = read()) {
            if (frame.type == type && frame.stream == stream) {
                return frame;
            }
        }
    }

    /** Of the answer on this stream, when its head has come. */
    public Map<String, String> headOf(int stream) throws IOException {
        while (!heads.containsKey(stream)) {
            read();
        }
        return heads.get(stream);
    }

    public int statusOf(int stream) throws IOException {
        return Integer.parseInt(headOf(stream).get(":status"));
    }

    /** Waits until the server ends a stream or the connection, and fails if it answers. */
    public void awaitEndOrReset() throws IOException {
        try {
            Frame frame = read();
            while (frame.type != RST_STREAM && frame.type != GOAWAY) {
                if (frame.type == HEADERS
                        && !heads.get(frame.stream).get(":status").startsWith("4")) {
                    throw new AssertionError("answered with " + heads.get(frame.stream));
                }
                frame = read();
            }
        } catch (EOFException | SocketException e) {
            // That is it.
        }
    }

    /** The error with which the server ends this connection, which it does soon; -1 if it says none. */
    public int awaitEnd() throws IOException {
        int code = -1;
        try {
            while (true) {
                Frame frame = read();
                code = frame.type == GOAWAY ? frame.code() : code;
            }
        } catch (EOFException e) {
            return code;
        } catch (SocketException e) { // reset, since it had not read everything
            return code;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
