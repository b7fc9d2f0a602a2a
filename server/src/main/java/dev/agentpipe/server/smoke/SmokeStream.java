package dev.agentpipe.server.smoke;

import dev.agentpipe.server.sse.SseEvent;
import dev.agentpipe.server.sse.SseParser;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One open stream. The HTTP client's threads put events into the queue, one at a time; the thread of the checks takes them
 * out. The body is this object itself, there as soon as the headers are: a stream never completes.
 */
final class SmokeStream implements HttpResponse.BodySubscriber<SmokeStream>, AutoCloseable {

    /** An end of the stream, in the queue behind its last event. */
    private static final SseEvent END = new SseEvent("", "end", "");

    private final Deadline deadline;
    private final BlockingQueue<SseEvent> queue = new LinkedBlockingQueue<>();
    private final SseParser parser = new SseParser(queue::add);
    private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();

    SmokeStream(Deadline deadline) {
        this.deadline = deadline;
    }

    /** Of anything but a stream the body is of no interest. */
    HttpResponse.BodySubscriber<SmokeStream> startedWith(int status) {
        return status == 200 ? this : HttpResponse.BodySubscribers.replacing(this);
    }

    /** The next event; {@code connected} frames and the like included. */
    SseEvent next(String expected) throws SmokeFailure, InterruptedException {
        long millis = deadline.forOneWait().toMillis();
        SseEvent event = queue.poll(millis, TimeUnit.MILLISECONDS);
        SmokeFailure.unless(event != null, expected, "nothing within " + millis + " ms");
        SmokeFailure.unless(event != END, expected, "the end of the stream");
        SmokeFailure.unless(event.type().equals("message"), expected, "the event " + event.type() + " " + event.data());
        return event;
    }

    /** Cuts the connection. */
    @Override
    public void close() {
        subscription.thenAccept(Flow.Subscription::cancel);
    }

    @Override
    public CompletionStage<SmokeStream> getBody() {
        return CompletableFuture.completedStage(this);
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
        queue.add(END);
    }

    @Override
    public void onComplete() {
        queue.add(END);
    }
}
