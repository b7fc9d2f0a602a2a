package dev.agentpipe.server.smoke;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** Requests to the server under test; none waits past the deadline. Thread-safe. */
final class SmokeClient {

    private static final int SHOWN_CHARS_MAX = 300;

    /** HTTP/1.1 as the CLI speaks it; a redirect is shown, not followed: the CLI would lose its event on one. */
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();

    private final URI base;
    private final Deadline deadline;

    SmokeClient(URI base, Deadline deadline) {
        this.base = base;
        this.deadline = deadline;
    }

    /** An answer; the body is missing where it is not JSON. */
    record Answer(int status, String text, JsonNode json) {

        String field(String name) {
            return json.path(name).asString("");
        }

        /** For people: the status and the beginning of the body, in one line. */
        @Override
        public String toString() {
            String line = text.strip().replaceAll("\\p{Cntrl}+", " ");
            String cut = line.length() <= SHOWN_CHARS_MAX ? line : line.substring(0, SHOWN_CHARS_MAX) + "…";
            return status + (cut.isEmpty() ? " without a body" : " " + cut);
        }
    }

    Answer get(String path) throws SmokeFailure, InterruptedException {
        return send(request(path).GET().build());
    }

    Answer post(JsonNode event, String key) throws SmokeFailure, InterruptedException {
        return send(request("/api/ingest")
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(event.toString()))
                .build());
    }

    /** Opens a stream of one conversation, after this event if the id is not "". */
    SmokeStream stream(String conversationId, String lastEventId) throws SmokeFailure, InterruptedException {
        HttpRequest.Builder request =
                request("/api/realtime/stream?conversationId=" + conversationId).header("Accept", "text/event-stream");
        if (!lastEventId.isEmpty()) {
            request.header("Last-Event-ID", lastEventId);
        }
        SmokeStream stream = new SmokeStream(deadline);
        HttpResponse<SmokeStream> response =
                exchange(request.GET().build(), info -> stream.startedWith(info.statusCode()));
        String type = response.headers().firstValue("Content-Type").orElse("no content type");
        if (response.statusCode() != 200 || !type.startsWith("text/event-stream")) {
            stream.close();
            throw new SmokeFailure("200 text/event-stream", response.statusCode() + " " + type);
        }
        return stream;
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).timeout(deadline.forOneWait());
    }

    private Answer send(HttpRequest request) throws SmokeFailure, InterruptedException {
        HttpResponse<String> response = exchange(request, BodyHandlers.ofString());
        return new Answer(response.statusCode(), response.body(), json(response.body()));
    }

    private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler)
            throws SmokeFailure, InterruptedException {
        Duration most = deadline.forOneWait();
        var pending = http.sendAsync(request, handler);
        try {
            return pending.get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            pending.cancel(true);
            throw new SmokeFailure("an answer from " + request.uri(), "none within " + most.toMillis() + " ms");
        } catch (ExecutionException e) {
            throw new SmokeFailure("an answer from " + request.uri(), reason(e.getCause()));
        }
    }

    private static String reason(Throwable cause) {
        String name = cause.getClass().getSimpleName();
        return cause instanceof IOException && cause.getMessage() != null ? name + ": " + cause.getMessage() : name;
    }

    static JsonNode json(String text) {
        try {
            return JsonMapper.shared().readTree(text);
        } catch (JacksonException notJson) {
            return MissingNode.getInstance();
        }
    }
}
