package dev.agentpipe.server.sse;

import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.Consumer;

/**
 * The body of an answer that is a stream. It is "there" as soon as the headers are, since a stream never completes. The
 * HTTP client calls from one thread at a time, and so are the consumers called; {@link #close} is for any thread.
 */
public final class SseSubscriber implements HttpResponse.BodySubscriber<Void>, AutoCloseable {

    private final SseParser parser;
    private final Consumer<String> end;
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

    /** @param end is told once why the stream is over: the name of an error, or "" if the server has ended it in order */
    public SseSubscriber(Consumer<SseEvent> events, Consumer<String> end) {
        this.parser = new SseParser(events);
        this.end = end;
    }

    /** Cuts the connection; no end is told. */
    @Override
    public void close() {
        subscription.thenAccept(Flow.Subscription::cancel);
    }

    @Override
    public CompletionStage<Void> getBody() {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public void onSubscribe(Flow.Subscription started) {
        subscription.complete(started);
        started.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        buffers.forEach(parser::feed);
    }

    @Override
    public void onError(Throwable cause) {
        end.accept(cause.getClass().getSimpleName());
    }

    @Override
    public void onComplete() {
        end.accept("");
    }
}
