package dev.agentpipe.server.smoke;

import dev.agentpipe.server.sse.SseEvent;
import dev.agentpipe.server.sse.SseSubscriber;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One open stream. The HTTP client's threads put events into the queue, one at a time; the thread of the checks takes them
 * out.
 */
final class SmokeStream implements AutoCloseable {

    /** An end of the stream, in the queue behind its last event. */
    private static final SseEvent END = new SseEvent("", "end", "");

    private final Deadline deadline;
    private final BlockingQueue<SseEvent> queue = new LinkedBlockingQueue<>();
    private final SseSubscriber body = new SseSubscriber(queue::add, why -> queue.add(END));

    SmokeStream(Deadline deadline) {
        this.deadline = deadline;
    }

    /** Of anything but a stream the body is of no interest. */
    BodySubscriber<SmokeStream> startedWith(int status) {
        return status == 200 ? BodySubscribers.mapping(body, nothing -> this) : BodySubscribers.replacing(this);
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
        body.close();
    }
}
