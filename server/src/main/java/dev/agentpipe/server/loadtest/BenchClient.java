package dev.agentpipe.server.loadtest;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Requests to the server under load, and to no other: redirects are not followed. HTTP/1.1, as the CLI speaks it. Events
 * have a client of their own, so that what streams cost does not show in their times. Thread-safe.
 */
final class BenchClient implements AutoCloseable {

    /** The CLI gives up after as long. */
    static final Duration ANSWER_MAX = Duration.ofSeconds(10);

    private static final Duration CONNECT_MAX = Duration.ofSeconds(5);

    /** A client has one thread that looks at all its sockets. */
    private static final int STREAM_CLIENTS =
            Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors() / 2));

    private final URI base;
    private final String key;
    private final ExecutorService workers;
    private final HttpClient events;
    private final List<HttpClient> streams;
    private final AtomicInteger nextStream = new AtomicInteger();

    BenchClient(URI base, String key) {
        this.base = base;
        this.key = key;
        AtomicInteger number = new AtomicInteger();
        workers = Executors.newFixedThreadPool(Math.max(2, Runtime.getRuntime().availableProcessors()), task -> {
            Thread thread = new Thread(task, "bench-http-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        events = newClient();
        streams = IntStream.range(0, STREAM_CLIENTS).mapToObj(i -> newClient()).toList();
    }

    private HttpClient newClient() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT_MAX)
                .executor(workers)
                .build();
    }

    /** Where answers and streams are handled. */
    ExecutorService workers() {
        return workers;
    }

    /** The answer to an event; its body matters, and is read, only if it was not stored. */
    CompletableFuture<HttpResponse<String>> post(byte[] event) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/api/ingest"))
                .timeout(ANSWER_MAX)
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .header("Prefer", "return=minimal")
                .POST(BodyPublishers.ofByteArray(event))
                .build();
        return events.sendAsync(
                request,
                info -> isStored(info.statusCode())
                        ? BodySubscribers.replacing("")
                        : BodyHandlers.ofString().apply(info));
    }

    /**
     * Opens a stream of these conversations. Completes when it has begun, or with another status than 200. No timeout on the
     * request: newer JDKs would cut the stream with it.
     */
    CompletableFuture<HttpResponse<Void>> open(List<String> conversations, BodySubscriber<Void> reader) {
        URI uri = URI.create(base + "/api/realtime/stream?conversationId=" + String.join(",", conversations));
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("Accept", "text/event-stream")
                .header("Authorization", "Bearer " + key)
                .GET()
                .build();
        HttpClient client = streams.get(Math.floorMod(nextStream.getAndIncrement(), streams.size()));
        return client.sendAsync(
                request, info -> info.statusCode() == 200 ? reader : BodySubscribers.replacing((Void) null));
    }

    static boolean isStored(int status) {
        return status == 200 || status == 201;
    }

    /** A word for what went wrong: the status with the problem's code if there is one, or the error's name. */
    static String failure(HttpResponse<String> response, Throwable error) {
        if (error != null) {
            Throwable cause =
                    error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
            return cause.getClass().getSimpleName();
        }
        try {
            String code =
                    JsonMapper.shared().readTree(response.body()).path("code").asString("");
            return (response.statusCode() + " " + code).strip();
        } catch (JacksonException notJson) {
            return String.valueOf(response.statusCode());
        }
    }

    /** Ends the threads; what is still open ends with them. */
    @Override
    public void close() {
        workers.shutdownNow();
    }
}
