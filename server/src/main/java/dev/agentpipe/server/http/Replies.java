package dev.agentpipe.server.http;

import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpContinue;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.xnio.ChannelListeners;
import org.xnio.channels.StreamSourceChannel;

/** Sends answers: JSON, and problems as {@code application/problem+json} (RFC 9457). */
public final class Replies {

    private static final String JSON = "application/json; charset=utf-8";
    private static final String PROBLEM = "application/problem+json; charset=utf-8";

    /** What is true of one request is true of no other; and caches keep even some errors by themselves (RFC 9111, 4.2.2). */
    private static final String NO_STORE = "no-store";

    /** A browser may keep it, a shared cache not, and both ask before they use it. */
    private static final String REVALIDATE = "private, no-cache";

    /** An answer depends on who asks, also where a page tells its browser's cache not to ask first. */
    private static final String WHO = "Authorization, Cookie";

    /** Seconds; spread, so that those who were turned away together do not come back together. */
    private static final int RETRY_AFTER_MIN = 1;

    private static final int RETRY_AFTER_MAX = 5;

    private static final UnsentAnswers UNSENT = new UnsentAnswers();

    private Replies() {}

    public static void json(HttpServerExchange exchange, int status, Object body) {
        send(exchange, status, JSON, Json.bytes(body));
    }

    /**
     * Stored data: may be kept by whoever asks again before each use, with the {@code ETag} as the question. The tag is a
     * weak one, since the place in the log, which goes on all the time, is no part of it.
     *
     * @param json a JSON object
     * @param opaque the tag without its quotes
     * @param place {@code streamPosition}, put into the object; null for none
     */
    static void stored(HttpServerExchange exchange, byte[] json, String opaque, String place) {
        if (notModified(exchange, opaque)) {
            return;
        }
        send(exchange, StatusCodes.OK, JSON, place == null ? json : placed(json, place));
    }

    /**
     * Sets the headers of stored data, and answers 304 if the client has it.
     *
     * @param opaque the tag without its quotes
     */
    public static boolean notModified(HttpServerExchange exchange, String opaque) {
        String tag = "W/\"" + opaque + '"';
        exchange.getResponseHeaders().put(Headers.ETAG, tag);
        exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, REVALIDATE);
        exchange.getResponseHeaders().add(Headers.VARY, WHO);
        if (!isKnown(exchange.getRequestHeaders().get(Headers.IF_NONE_MATCH), tag)) {
            return false;
        }
        exchange.setStatusCode(StatusCodes.NOT_MODIFIED);
        afterBody(exchange, exchange::endExchange);
        return true;
    }

    /**
     * What stays the same as long as this version of the server runs.
     *
     * @param opaque the tag without its quotes
     */
    public static void document(HttpServerExchange exchange, String contentType, byte[] body, String opaque) {
        if (!notModified(exchange, opaque)) {
            send(exchange, StatusCodes.OK, contentType, body);
        }
    }

    /** RFC 9110, 13.1.2: a list of tags, weak or not, or any. */
    private static boolean isKnown(HeaderValues headers, String tag) {
        if (headers == null) {
            return false;
        }
        String strong = tag.substring("W/".length());
        return headers.stream()
                .flatMap(header -> Arrays.stream(header.split(",")))
                .map(String::strip)
                .anyMatch(one -> one.equals("*") || one.equals(strong) || one.equals(tag));
    }

    private static byte[] placed(byte[] json, String place) {
        byte[] member = ("{\"streamPosition\":\"" + place + (json.length > 2 ? "\"," : "\""))
                .getBytes(StandardCharsets.US_ASCII);
        byte[] body = Arrays.copyOf(member, member.length + json.length - 1);
        System.arraycopy(json, 1, body, member.length, json.length - 1);
        return body;
    }

    public static void empty(HttpServerExchange exchange, int status) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_LENGTH, "0");
        exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, NO_STORE);
        afterBody(exchange, exchange::endExchange);
    }

    public static void problem(HttpServerExchange exchange, Problem problem, String detail) {
        problem(exchange, problem, detail, List.of());
    }

    /** @param detail a sentence of its own; null where the title says all */
    public static void problem(HttpServerExchange exchange, Problem problem, String detail, List<?> errors) {
        RequestFacts.noteProblem(exchange, problem);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("type", "about:blank");
        body.put("title", problem.title());
        body.put("status", problem.status());
        if (detail != null) {
            body.put("detail", detail);
        }
        body.put("code", problem.code());
        body.put("requestId", RequestId.of(exchange));
        if (!errors.isEmpty()) {
            body.put("errors", errors);
        }
        if (problem.isTransient()
                || problem == Problem.RATE_LIMITED
                        && !exchange.getResponseHeaders().contains(Headers.RETRY_AFTER)) {
            int seconds = ThreadLocalRandom.current().nextInt(RETRY_AFTER_MIN, RETRY_AFTER_MAX + 1);
            exchange.getResponseHeaders().put(Headers.RETRY_AFTER, Integer.toString(seconds));
        }
        if (problem == Problem.UNAUTHORIZED) {
            exchange.getResponseHeaders().put(Headers.WWW_AUTHENTICATE, "Bearer realm=\"agentpipe\"");
        }
        if (problem == Problem.SHUTTING_DOWN) {
            exchange.setPersistent(false); // so that its client does not come back to this node
        }
        send(exchange, problem.status(), PROBLEM, Json.bytes(body));
    }

    private static void send(HttpServerExchange exchange, int status, String contentType, byte[] body) {
        exchange.setStatusCode(status);
        exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, contentType);
        if (!exchange.getResponseHeaders().contains(Headers.CACHE_CONTROL)) {
            exchange.getResponseHeaders().put(Headers.CACHE_CONTROL, NO_STORE);
        }
        exchange.setResponseContentLength(body.length);
        afterBody(exchange, () -> UNSENT.send(exchange, body));
    }

    /**
     * Answers, if need be after the rest of a body that nobody wants. To close a connection while bytes come in resets it,
     * and the answer on its way may be lost: nginx, which uses a connection for one request unless told otherwise, would
     * make a 502 of a 401. On a connection that is kept, Undertow reads the rest after the answer.
     */
    private static void afterBody(HttpServerExchange exchange, Runnable answer) {
        if (HttpContinue.requiresContinueResponse(exchange) && !exchange.isRequestComplete()) {
            // The client has not begun with its body. It may leave it out, and nobody could tell its next request from
            // it.
            exchange.setPersistent(false);
            answer.run();
        } else if (exchange.isRequestComplete() || exchange.isPersistent()) {
            answer.run();
        } else {
            exchange.dispatch(
                    SameThreadExecutor.INSTANCE,
                    RequestScope.step(exchange, () -> drain(exchange, exchange.getRequestChannel(), answer)));
        }
    }

    /** @param channel null if somebody has begun to read the body, and failed */
    private static void drain(HttpServerExchange exchange, StreamSourceChannel channel, Runnable answer) {
        if (channel == null) {
            answer.run();
            return;
        }
        channel.getReadSetter()
                .set(ChannelListeners.drainListener(
                        Long.MAX_VALUE,
                        drained -> RequestScope.run(exchange, answer),
                        (broken, e) -> exchange.endExchange()));
        channel.resumeReads();
    }
}
