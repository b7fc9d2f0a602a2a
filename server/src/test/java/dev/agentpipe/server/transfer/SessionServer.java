package dev.agentpipe.server.transfer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * As much of a server as an import needs, with faults that a real one has never or seldom. Refuses messages with "bad" in
 * their content, conversations with it in their name, and events with it anywhere.
 */
final class SessionServer implements AutoCloseable {

    static final String KEY = "ap_live_of-the-test";

    private static final JsonMapper JSON = JsonMapper.shared();

    /** A conversation as it is here. */
    static final class Stored {
        JsonNode conversation;
        JsonNode agents;
        final Map<String, JsonNode> messages = new LinkedHashMap<>();
        final Set<JsonNode> events = new LinkedHashSet<>();
    }

    final Map<String, Stored> stored = new LinkedHashMap<>();
    final Set<JsonNode> eventsOfNone = new LinkedHashSet<>();
    final List<JsonNode> sessions = new ArrayList<>();
    private final HttpServer server;
    private volatile boolean isMute;
    private volatile boolean isForgetful;
    private volatile Runnable onUpload = () -> {};

    SessionServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/conversations", this::conversations);
        server.createContext(TransferClient.UPLOAD, this::upload);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Says of a refusal not where it is. */
    void sayNotWhere() {
        isMute = true;
    }

    /** Acknowledges the last message of each upload without storing it. */
    void loseOne() {
        isForgetful = true;
    }

    void onUpload(Runnable what) {
        onUpload = what;
    }

    private synchronized void conversations(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.equals("/api/conversations")) {
            answer(exchange, 200, "{\"streamPosition\":\"k7f3-0\"}");
            return;
        }
        Stored one = stored.get(path.substring("/api/conversations/".length()));
        if (one == null) {
            answer(exchange, 404, "{\"code\":\"not_found\"}");
            return;
        }
        ObjectNode json = JSON.createObjectNode();
        json.put("messageCount", one.messages.size());
        json.set("participants", one.agents);
        json.set(
                "errorMessage",
                one.conversation.path("error_message").asStringOpt().isPresent()
                        ? one.conversation.get("error_message")
                        : one.events.stream()
                                .filter(event -> event.get("type").asString().equals("conversation.error"))
                                .map(event -> event.at("/data/error_message"))
                                .reduce((first, second) -> second)
                                .orElse(JSON.nullNode()));
        answer(exchange, 200, json.toString());
    }

    private synchronized void upload(HttpExchange exchange) throws IOException {
        String body;
        try (GZIPInputStream in = new GZIPInputStream(exchange.getRequestBody())) {
            body = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        if ("application/json".equals(exchange.getRequestHeaders().getFirst("Content-Type"))) {
            takeSession(exchange, JSON.readTree(body));
        } else {
            takeLines(exchange, body.lines().map(JSON::readTree).toList());
        }
    }

    private void takeSession(HttpExchange exchange, JsonNode session) throws IOException {
        List<String> errors = new ArrayList<>();
        if (session.at("/conversation/name").asString().contains("bad")) {
            errors.add(error("/conversation/name"));
        }
        for (int i = 0; i < session.get("messages").size(); i++) {
            if (session.at("/messages/" + i + "/content").asString().contains("bad")) {
                errors.add(error("/messages/" + i + "/content"));
            }
        }
        if (!errors.isEmpty()) {
            answer(exchange, 400, isMute ? "{\"code\":\"no\"}" : "{\"code\":\"no\",\"errors\":" + errors + "}");
            return;
        }
        sessions.add(session);
        Stored one = stored.computeIfAbsent(session.at("/conversation/id").asString(), id -> new Stored());
        one.conversation = session.get("conversation");
        one.agents = session.get("agents");
        int before = one.messages.size();
        List<JsonNode> messages =
                new ArrayList<>(session.get("messages").valueStream().toList());
        if (isForgetful && !messages.isEmpty()) {
            messages.remove(messages.size() - 1);
        }
        messages.forEach(
                message -> one.messages.putIfAbsent(message.get("message_id").asString(), message));
        onUpload.run(); // before the answer: its client goes on at once
        answer(exchange, 201, "{\"messages_created\":" + (one.messages.size() - before) + "}");
    }

    private void takeLines(HttpExchange exchange, List<JsonNode> lines) throws IOException {
        if (lines.stream().anyMatch(line -> line.toString().contains("bad"))) {
            answer(exchange, 400, "{\"code\":\"no\",\"detail\":\"Bad.\"}");
            return;
        }
        for (JsonNode line : lines) {
            JsonNode id = line.at("/data/conversation_id");
            (id.isMissingNode() ? eventsOfNone : stored.get(id.asString()).events).add(line);
        }
        answer(exchange, 201, "{}");
    }

    private static String error(String pointer) {
        return "{\"pointer\":\"" + pointer + "\",\"detail\":\"It is bad.\"}";
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
