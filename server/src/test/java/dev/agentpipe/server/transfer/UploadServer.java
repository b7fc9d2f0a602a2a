package dev.agentpipe.server.transfer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/**
 * As much of a server as an upload needs, to have it answer what a real one answers rarely. It knows lines it has seen,
 * refuses those with "bad" in them, and takes so many lines in a request.
 */
final class UploadServer implements AutoCloseable {

    static final String KEY = "ap_live_of-the-test";

    private final HttpServer server;
    private final Set<String> known = new HashSet<>();
    private final List<String> bodies = new ArrayList<>();
    private final Deque<String> nextAnswers = new ArrayDeque<>();
    private int linesMax = Integer.MAX_VALUE;
    private String epoch = "k7f3";

    UploadServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/conversations", this::conversations);
        server.createContext(TransferClient.UPLOAD, this::upload);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Instead of taking what comes next: a status, and headers after it, as in {@code "503 Retry-After: 3"}, or "cut". */
    synchronized void answerNext(String... answers) {
        nextAnswers.addAll(List.of(answers));
    }

    synchronized void takeAtMost(int lines) {
        linesMax = lines;
    }

    /** Has another log from now on, with nothing in it. */
    synchronized void becomeAnother(String anotherEpoch) {
        epoch = anotherEpoch;
        known.clear();
    }

    /** The requests that were taken, decompressed, the oldest first. */
    synchronized List<String> bodies() {
        return List.copyOf(bodies);
    }

    synchronized int stored() {
        return known.size();
    }

    private synchronized void conversations(HttpExchange exchange) throws IOException {
        answer(exchange, 200, "{\"conversations\":[],\"streamPosition\":\"" + epoch + "-0\"}");
    }

    private synchronized void upload(HttpExchange exchange) throws IOException {
        byte[] compressed = exchange.getRequestBody().readAllBytes();
        if (!("Bearer " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            answer(exchange, 401, problem("unauthorized", ""));
            return;
        }
        String scripted = nextAnswers.poll();
        if (scripted != null) {
            answerAsTold(exchange, scripted);
            return;
        }
        String body;
        try (GZIPInputStream in = new GZIPInputStream(new java.io.ByteArrayInputStream(compressed))) {
            body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        boolean isSession =
                "application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"));
        List<String> items = isSession ? List.of(body) : body.lines().toList();
        if (items.size() > linesMax) {
            answer(exchange, 413, problem("upload_too_large", ""));
            return;
        }
        StringBuilder errors = new StringBuilder();
        for (int i = 0; i < items.size(); i++) {
            if (items.get(i).contains("bad")) {
                errors.append(errors.isEmpty() ? "" : ",")
                        .append(isSession ? "{" : "{\"line\":" + (i + 1) + ",")
                        .append("\"pointer\":\"/data/mode\",\"detail\":\"Expected a string.\"}");
            }
        }
        if (!errors.isEmpty()) {
            answer(exchange, 400, problem("invalid_event", ",\"errors\":[" + errors + "]"));
            return;
        }
        bodies.add(body);
        int duplicates = 0;
        for (String item : items) {
            duplicates += known.add(item) ? 0 : 1;
        }
        answer(
                exchange,
                duplicates == items.size() ? 200 : 201,
                "{\"success\":true,\"messages_created\":" + (items.size() - duplicates) + ",\"duplicates\":"
                        + duplicates + "}");
    }

    private static void answerAsTold(HttpExchange exchange, String told) throws IOException {
        if (told.equals("cut")) {
            exchange.close();
            return;
        }
        String[] words = told.split(" ", 2);
        if (words.length > 1) {
            String[] header = words[1].split(": ", 2);
            exchange.getResponseHeaders().set(header[0], header[1]);
        }
        answer(exchange, Integer.parseInt(words[0]), problem("scripted", ""));
    }

    private static String problem(String code, String more) {
        return "{\"code\":\"" + code + "\",\"title\":\"As told\"" + more + "}";
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
