package dev.agentpipe.server;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A connection of a client that writes exactly what it is told, and reads answers one by one. */
public final class RawHttp implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 20_000;

    private final Socket socket;
    private final InputStream in;

    /** An answer; header names in lower case. */
    public record Answer(int status, Map<String, List<String>> headers, String body) {

        /** Null if there is none. */
        public String header(String name) {
            List<String> values = headers.get(name.toLowerCase(Locale.ROOT));
            return values == null ? null : String.join(", ", values);
        }

        public JsonNode json() {
            return JsonMapper.shared().readTree(body);
        }
    }

    private RawHttp(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new BufferedInputStream(socket.getInputStream());
    }

    public static RawHttp open(int port) throws IOException {
        Socket socket = new Socket("127.0.0.1", port);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.setTcpNoDelay(true);
        return new RawHttp(socket);
    }

    /** A connection for one request. */
    public static Answer ask(int port, String request) throws IOException {
        try (RawHttp http = open(port)) {
            return http.write(request).read();
        }
    }

    /** A request to ingest with the key; as JSON unless the headers say otherwise. */
    public static String post(String body, String... headers) {
        return head("POST /api/ingest HTTP/1.1", body.getBytes(StandardCharsets.UTF_8).length, headers) + body;
    }

    /** A head with key, content type, and a length, unless the headers have these; with an empty line at its end. */
    public static String head(String requestLine, int length, String... headers) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("Host", "localhost");
        all.put("Authorization", "Bearer " + TestServer.KEY);
        all.put("Content-Type", "application/json");
        all.put("Content-Length", Integer.toString(length));
        for (int i = 0; i < headers.length; i += 2) {
            all.put(headers[i], headers[i + 1]);
        }
        StringBuilder head = new StringBuilder(requestLine).append("\r\n");
        all.forEach((name, value) -> {
            if (value != null) {
                head.append(name).append(": ").append(value).append("\r\n");
            }
        });
        return head.append("\r\n").toString();
    }

    public RawHttp write(String text) throws IOException {
        return write(text.getBytes(StandardCharsets.UTF_8));
    }

    public RawHttp write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
        return this;
    }

    /** Says that nothing more comes, and goes on listening. */
    public RawHttp endOutput() throws IOException {
        socket.shutdownOutput();
        return this;
    }

    /** Goes without a goodbye: the server's next write fails. */
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    /** The next answer, also one of status 100. */
    public Answer read() throws IOException {
        return read(true);
    }

    /** The next answer, to a HEAD if {@code hasBody} is false. */
    public Answer read(boolean hasBody) throws IOException {
        int status = Integer.parseInt(line().split(" ")[1]);
        Map<String, List<String>> headers = new LinkedHashMap<>();
        for (String line = line(); !line.isEmpty(); line = line()) {
            int colon = line.indexOf(':');
            headers.computeIfAbsent(line.substring(0, colon).toLowerCase(Locale.ROOT), name -> new ArrayList<>())
                    .add(line.substring(colon + 1).strip());
        }
        boolean bodyless = !hasBody || status < 200 || status == 204;
        List<String> length = headers.getOrDefault("content-length", List.of("0"));
        byte[] body = in.readNBytes(bodyless ? 0 : Integer.parseInt(length.get(0)));
        return new Answer(status, headers, new String(body, StandardCharsets.UTF_8));
    }

    private String line() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException("after: " + line);
            }
            line.write(next);
        }
        return line.toString(StandardCharsets.ISO_8859_1).stripTrailing();
    }

    /** All that comes until the server ends the connection, in whatever way. */
    public String readToEnd() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            in.transferTo(all);
        } catch (SocketException reset) {
            // What was written to it lies unread: an end as well.
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    /** Waits for the server to end the connection, in order; fails if more comes. */
    public void awaitEnd() throws IOException {
        int next = in.read();
        if (next >= 0) {
            throw new IOException("expected the end, got byte " + next);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
