package dev.agentpipe.server.transfer;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/**
 * Requests to the server, one at a time, each tried until the server has answered it. Everything that is sent may be sent
 * again: the server knows what it has. One thread at a time; {@link Stop} ends a wait from any other.
 */
public final class TransferClient implements Destination {

    static final String UPLOAD = "/api/sessions/upload";

    /** Waits of 1, 2, 4, … 30 s between them: some two minutes, enough for a restart. */
    private static final int TRIES = 8;

    /** A limit is no fault, and others may use the same key: a few minutes longer than what it tells to wait. */
    private static final int LIMITED_TRIES = 100;

    private static final int TOO_MANY_REQUESTS = 429;
    private static final Duration WAIT_MAX = Duration.ofSeconds(30);
    private static final Duration RETRY_AFTER_MAX = Duration.ofMinutes(2);
    private static final Duration CONNECT_MAX = Duration.ofSeconds(10);

    /** 64 MiB over a slow line, and their transaction. */
    private static final Duration ANSWER_MAX = Duration.ofMinutes(10);

    /** The server, or a proxy before it, may do better a little later. */
    private static final Set<Integer> TRY_AGAIN = Set.of(408, 429, 502, 503, 504);

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_MAX)
            .build();

    private final URI base;
    private final String key;
    private final Stop stop;
    private final Consumer<String> onWait;

    /** @param onWait is told, in words for people, why the next try has to wait */
    public TransferClient(URI base, String key, Stop stop, Consumer<String> onWait) {
        this.base = base;
        this.key = key;
        this.stop = stop;
        this.onWait = onWait;
    }

    URI base() {
        return base;
    }

    @Override
    public Taken take(Piece piece) throws GaveUpException, StoppedException, InterruptedException {
        return send(request(UPLOAD)
                        .header("Content-Type", piece.contentType())
                        .header("Content-Encoding", "gzip")
                        .POST(BodyPublishers.ofByteArray(piece.gzip()))
                        .build())
                .taken();
    }

    /**
     * Keys that may only write are no obstacle here.
     *
     * @param path with its query, encoded
     */
    Answer get(String path) throws GaveUpException, StoppedException, InterruptedException {
        return send(request(path).GET().build());
    }

    /** The name of the server's log; empty if this key may not read, or the server is too old to tell. */
    Optional<String> epoch() throws GaveUpException, StoppedException, InterruptedException {
        return get("/api/conversations?limit=1").epoch();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path))
                .timeout(ANSWER_MAX)
                .header("Authorization", "Bearer " + key);
    }

    private Answer send(HttpRequest request) throws GaveUpException, StoppedException, InterruptedException {
        int limited = 0;
        int tried = 1;
        while (true) {
            String reason;
            Duration wait = backoff(tried);
            boolean isLimited = false;
            try {
                HttpResponse<String> response = await(http.sendAsync(request, BodyHandlers.ofString()));
                Answer answer = new Answer(response.statusCode(), json(response.body()));
                if (!TRY_AGAIN.contains(answer.status())) {
                    return known(request, answer);
                }
                reason = base + " answers " + answer.reason();
                Duration asked = retryAfter(response);
                isLimited = answer.status() == TOO_MANY_REQUESTS && !asked.isZero() && ++limited < LIMITED_TRIES;
                wait = isLimited ? asked : longer(wait, asked);
            } catch (IOException failed) {
                reason = base + " does not answer: " + reason(failed);
                if (isHopeless(failed)) {
                    throw new GaveUpException(reason);
                }
            }
            if (!isLimited && tried++ == TRIES) {
                throw new GaveUpException(reason + " (" + TRIES + " tries)");
            }
            onWait.accept(reason + "; next try in " + Math.max(1, wait.toSeconds()) + " s");
            if (stop.pause(wait)) {
                throw new StoppedException();
            }
        }
    }

    /** Keys and URLs that are wrong are so for everything that would follow. */
    private Answer known(HttpRequest request, Answer answer) throws GaveUpException {
        if (answer.status() == 401 || answer.status() == 403 && request.method().equals("POST")) {
            throw new GaveUpException(base + " refuses the key: " + answer.reason());
        }
        if (answer.status() >= 300 && answer.status() < 400) {
            throw new GaveUpException(base + " answers with a redirect (" + answer.status()
                    + "), which is not followed: give the URL it leads to");
        }
        return answer;
    }

    private <T> T await(CompletableFuture<T> pending) throws IOException, StoppedException, InterruptedException {
        try {
            CompletableFuture.anyOf(pending, stop.future()).get();
            if (stop.isRequested() && !pending.isDone()) {
                pending.cancel(true);
                throw new StoppedException();
            }
            return pending.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /** Half of it random, so that many clients that lost one server do not come back at one moment. */
    private static Duration backoff(int tried) {
        long most = Math.min(WAIT_MAX.toMillis(), 1_000L << (tried - 1));
        return Duration.ofMillis(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
    }

    /** In seconds; servers that name a date are waited for as if they had named nothing. */
    private static Duration retryAfter(HttpResponse<?> response) {
        String text = response.headers().firstValue("Retry-After").orElse("");
        if (!text.matches("[0-9]{1,9}")) {
            return Duration.ZERO;
        }
        Duration asked = Duration.ofSeconds(Long.parseLong(text));
        return asked.compareTo(RETRY_AFTER_MAX) < 0 ? asked : RETRY_AFTER_MAX;
    }

    private static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    /** A name that does not exist, or a certificate that is not trusted: it will be the same in two minutes. */
    private static boolean isHopeless(IOException failed) {
        for (Throwable at = failed; at != null; at = at.getCause()) {
            if (at instanceof UnresolvedAddressException || at instanceof SSLException) {
                return true;
            }
        }
        return false;
    }

    private static String reason(IOException failed) {
        if (failed instanceof HttpTimeoutException) {
            Duration most = failed instanceof HttpConnectTimeoutException ? CONNECT_MAX : ANSWER_MAX;
            return "nothing within " + most.toSeconds() + " s";
        }
        for (Throwable at = failed; at != null; at = at.getCause()) {
            if (at instanceof UnresolvedAddressException) {
                return "there is no host of this name";
            }
        }
        String message = failed.getMessage();
        return message == null || message.isBlank()
                ? failed.getClass().getSimpleName()
                : message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    private static JsonNode json(String text) {
        try {
            return JsonMapper.shared().readTree(text);
        } catch (JacksonException notJson) {
            return MissingNode.getInstance();
        }
    }
}
