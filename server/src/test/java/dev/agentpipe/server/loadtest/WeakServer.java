package dev.agentpipe.server.loadtest;

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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * As much of a server as a load test needs, with one weakness. Every stream has every message, whatever it asks for. The log
 * is guarded by its monitor; a stream has a thread of its own, that waits there.
 */
final class WeakServer implements AutoCloseable {

    static final String KEY = "ap_live_of-the-test";

    enum Weakness {
        NONE,
        SLOW,
        FAILS_SOME,
        LIMITS_RATE,
        STORES_NO_MORE,
        REDIRECTS,
        REFUSES_STREAMS,
        ENDS_STREAMS,
        LOSES_ON_STREAM,
        REPEATS_ON_STREAM
    }

    /** Of the messages, one in so many is hit by the weakness. */
    private static final int ONE_IN = 5;

    private static final long SLOW_MILLIS = 700;

    private final Weakness weakness;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<String> messages = new ArrayList<>();
    private final Set<String> hosts = ConcurrentHashMap.newKeySet();
    private boolean closed;

    WeakServer(Weakness weakness) throws IOException {
        this.weakness = weakness;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/api/ingest", this::ingest);
        server.createContext("/api/realtime/stream", this::stream);
        server.createContext("/elsewhere", this::elsewhere);
        server.start();
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Whether anybody has gone where a redirect led. */
    boolean wasFollowed() {
        return hosts.contains("elsewhere");
    }

    private void elsewhere(HttpExchange exchange) throws IOException {
        hosts.add("elsewhere");
        answer(exchange, 201, "");
    }

    private void ingest(HttpExchange exchange) throws IOException {
        JsonNode event = JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes());
        if (!("Bearer " + KEY).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            answer(exchange, 401, "{\"code\":\"unauthorized\"}");
        } else if (weakness == Weakness.REDIRECTS) {
            exchange.getResponseHeaders().add("Location", uri() + "/elsewhere");
            answer(exchange, 307, "");
        } else if (!event.path("type").asString().equals("message.created")) {
            answer(exchange, 201, "");
        } else {
            message(exchange, event);
        }
    }

    private void message(HttpExchange exchange, JsonNode event) throws IOException {
        String id = event.at("/data/message_id").asString();
        boolean isHit = Integer.parseInt(id.substring(id.lastIndexOf('-') + 1)) % ONE_IN == 0;
        if (isHit && weakness == Weakness.FAILS_SOME) {
            answer(exchange, 500, "{\"code\":\"internal_error\"}");
            return;
        }
        if (weakness == Weakness.STORES_NO_MORE) {
            answer(exchange, 503, "{\"code\":\"database_unavailable\"}");
            return;
        }
        if (isHit && weakness == Weakness.LIMITS_RATE) {
            answer(exchange, 429, "slow down");
            return;
        }
        if (weakness == Weakness.SLOW) {
            pause();
        }
        synchronized (messages) {
            messages.add(isHit && weakness == Weakness.LOSES_ON_STREAM ? "" : frame(event));
            if (isHit && weakness == Weakness.REPEATS_ON_STREAM) {
                messages.add("id: t-" + messages.size() + "\ndata: " + event + "\n\n");
            }
            messages.notifyAll();
        }
        answer(exchange, 201, "");
    }

    private String frame(JsonNode event) {
        return "id: t-" + (messages.size() + 1) + "\ndata: " + event + "\n\n";
    }

    private void stream(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().add("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            if (weakness == Weakness.REFUSES_STREAMS) {
                write(out, "retry: 5000\nevent: overloaded\ndata: {}\n\n");
                return;
            }
            int next;
            synchronized (messages) {
                next = messages.size();
            }
            write(out, "id: t-" + next + "\ndata: {\"type\":\"connected\"}\n\n");
            for (String frame = await(next); frame != null; frame = await(++next)) {
                write(out, frame);
                if (weakness == Weakness.ENDS_STREAMS) {
                    return;
                }
            }
        } catch (IOException gone) {
            // The client has cut the stream.
        }
    }

    private String await(int index) {
        synchronized (messages) {
            while (messages.size() <= index && !closed) {
                try {
                    messages.wait();
                } catch (InterruptedException e) {
                    closed = true;
                }
            }
            return closed ? null : messages.get(index);
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(SLOW_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        synchronized (messages) {
            closed = true;
            messages.notifyAll();
        }
        server.stop(0);
        threads.shutdownNow();
    }
}
