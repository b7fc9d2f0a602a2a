package dev.agentpipe.server.smoke;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * As much of a server as the checks ask for, with one thing wrong in it: a check that cannot fail is none. The log is
 * guarded by its monitor; a stream has a thread of its own, that waits there.
 */
final class FaultyServer implements AutoCloseable {

    static final String KEY = "ap_live_of-the-test";

    enum Fault {
        NONE,
        UNHEALTHY,
        NEVER_ANSWERS,
        REDIRECTS,
        ACCEPTS_ANY_KEY,
        ACCEPTS_MALFORMED,
        POINTS_ELSEWHERE,
        ANSWERS_WITHOUT_ID,
        STORES_A_REPEAT,
        STREAM_IS_NO_STREAM,
        STREAM_STAYS_SILENT,
        STREAM_ENDS,
        STREAM_LOSES_ONE,
        STREAM_REPEATS_ONE,
        STREAM_CHANGES_ONE,
        STREAM_TELLS_THE_COMMAND,
        RESUME_BEGINS_ANEW,
        RESUME_SKIPS_TO_LIVE,
        RESUME_RESETS
    }

    private record Entry(long position, JsonNode event) {}

    private final Fault fault;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<Entry> log = new ArrayList<>();
    private boolean closed;

    FaultyServer(Fault fault) throws IOException {
        this.fault = fault;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/api/health", this::health);
        server.createContext("/api/ingest", this::ingest);
        server.createContext("/api/realtime/stream", this::stream);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @Override
    public void close() {
        synchronized (log) {
            closed = true;
            log.notifyAll();
        }
        server.stop(0);
        threads.shutdownNow();
    }

    private void health(HttpExchange exchange) throws IOException {
        if (fault == Fault.NEVER_ANSWERS) {
            awaitClose();
        } else if (fault == Fault.REDIRECTS) {
            exchange.getResponseHeaders().add("Location", "/elsewhere");
            answer(exchange, 301, "");
        } else {
            boolean healthy = fault != Fault.UNHEALTHY;
            answer(
                    exchange,
                    healthy ? 200 : 503,
                    "{\"status\":\"" + (healthy ? "healthy" : "unhealthy") + "\",\"version\":\"test\"}");
        }
    }

    private void ingest(HttpExchange exchange) throws IOException {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        if (!("Bearer " + KEY).equals(authorization) && fault != Fault.ACCEPTS_ANY_KEY) {
            answer(exchange, 401, "{\"code\":\"unauthorized\"}");
            return;
        }
        JsonNode event = JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes());
        JsonNode data = event.get("data");
        boolean malformed = event.get("type").asString().equals("message.created") && !data.has("agent_type");
        if (malformed && fault != Fault.ACCEPTS_MALFORMED) {
            String pointer = fault == Fault.POINTS_ELSEWHERE ? "/data" : "/data/agent_type";
            answer(exchange, 400, "{\"errors\":[{\"pointer\":\"" + pointer + "\",\"detail\":\"is missing\"}]}");
            return;
        }
        append(exchange, event);
    }

    private void append(HttpExchange exchange, JsonNode event) throws IOException {
        long position = 0;
        boolean duplicate = false;
        synchronized (log) {
            for (Entry entry : log) {
                if (entry.event().equals(event) && fault != Fault.STORES_A_REPEAT) {
                    duplicate = true;
                    position = entry.position();
                }
            }
            if (!duplicate) {
                position = log.size() + 1;
                log.add(new Entry(position, event));
                log.notifyAll();
            }
        }
        ObjectNode body = JsonMapper.shared().createObjectNode();
        if (fault != Fault.ANSWERS_WITHOUT_ID) {
            body.put("event_id", "t-" + position);
        }
        if (event.get("data").has("conversation_id")) {
            body.set("conversation_id", event.get("data").get("conversation_id"));
        }
        if (duplicate) {
            body.put("duplicate", true);
        }
        answer(exchange, duplicate ? 200 : 201, body.toString());
    }

    private void stream(HttpExchange exchange) throws IOException {
        if (fault == Fault.STREAM_IS_NO_STREAM) {
            answer(exchange, 200, "{}");
            return;
        }
        String resumeAfter = exchange.getRequestHeaders().getFirst("Last-Event-ID");
        boolean resumes = resumeAfter != null;
        exchange.getResponseHeaders().add("Content-Type", "text/event-stream; charset=utf-8");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            if (fault == Fault.STREAM_STAYS_SILENT) {
                out.flush(); // newer JDKs keep the head until there is a body
                awaitClose();
                return;
            }
            if (resumes && fault == Fault.RESUME_RESETS) {
                write(out, "event: reset\nid: t-1\ndata: {\"reason\":\"unknown_epoch\"}\n\n");
            }
            write(out, "retry: 2000\nid: t-0\ndata: {\"type\":\"connected\"}\n\n");
            follow(out, exchange.getRequestURI().getQuery(), resumes, from(resumeAfter));
        } catch (IOException gone) {
            // The client has cut the stream; that is part of what is tried.
        }
    }

    private long from(String resumeAfter) {
        synchronized (log) {
            if (resumeAfter == null || fault == Fault.RESUME_SKIPS_TO_LIVE) {
                return log.size();
            }
            return fault == Fault.RESUME_BEGINS_ANEW ? 0 : Long.parseLong(resumeAfter.substring("t-".length()));
        }
    }

    private void follow(OutputStream out, String query, boolean resumes, long after) throws IOException {
        String conversation = query.substring("conversationId=".length());
        long position = after;
        while (true) {
            Entry entry = await(position);
            if (entry == null) {
                return;
            }
            position = entry.position();
            if (!entry.event().path("data").path("conversation_id").asString("").equals(conversation)) {
                continue;
            }
            String type = entry.event().get("type").asString();
            boolean faultsNow = type.equals("conversation.completed") && !resumes;
            if (faultsNow && fault == Fault.STREAM_ENDS) {
                return;
            }
            if (!faultsNow || fault != Fault.STREAM_LOSES_ONE) {
                write(out, frame(entry, faultsNow));
            }
            if (faultsNow && fault == Fault.STREAM_REPEATS_ONE) {
                write(out, frame(entry, true));
            }
        }
    }

    private String frame(Entry entry, boolean faultsNow) {
        ObjectNode event = (ObjectNode) entry.event().deepCopy();
        ObjectNode data = (ObjectNode) event.get("data");
        if (fault != Fault.STREAM_TELLS_THE_COMMAND) {
            data.remove("command");
        }
        if (faultsNow && fault == Fault.STREAM_CHANGES_ONE) {
            data.put("total_tokens", 151);
        }
        return "id: t-" + entry.position() + "\ndata: " + event + "\n\n";
    }

    private Entry await(long after) {
        synchronized (log) {
            while (log.size() <= after && !closed) {
                waitForChange();
            }
            return closed ? null : log.get((int) after);
        }
    }

    private void awaitClose() {
        synchronized (log) {
            while (!closed) {
                waitForChange();
            }
        }
    }

    private void waitForChange() {
        try {
            log.wait();
        } catch (InterruptedException e) {
            closed = true;
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
