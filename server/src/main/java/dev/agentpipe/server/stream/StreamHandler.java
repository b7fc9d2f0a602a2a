package dev.agentpipe.server.stream;

import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import dev.agentpipe.core.event.Violation;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestFacts;
import dev.agentpipe.server.http.RequestLog;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.protocol.http.HttpAttachments;
import io.undertow.server.protocol.http.HttpServerConnection;
import io.undertow.util.HeaderMap;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.SameThreadExecutor;
import io.undertow.util.StatusCodes;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.ObjLongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioExecutor;

/**
 * {@code GET /api/realtime/stream}: finds out where a stream begins, and begins it.
 *
 * <p>A reader that only wants what comes next, or whose place is still in the window, begins at once on its I/O thread.
 * Any other needs a look into the log, by a worker.
 */
public final class StreamHandler implements HttpHandler {

    private static final String EVENT_STREAM = "text/event-stream";
    private static final HttpString X_ACCEL_BUFFERING = HttpString.tryFromString("X-Accel-Buffering");

    /** How long a reader waits for a look into the log, whatever keeps it waiting: as long as a writer for its commit. */
    private static final Duration LOOK_MAX = Duration.ofMillis(1_500);

    /** For one that has seen more of the log, on another node, than this node has yet. */
    private static final Duration AHEAD_POLL = Duration.ofMillis(10);

    private static final Logger log = LoggerFactory.getLogger(StreamHandler.class);

    private final Streams streams;
    private final EventLog eventLog;
    private final LogTail tail;
    private final String epoch;

    public StreamHandler(Streams streams, EventLog eventLog, LogTail tail, String epoch) {
        this.streams = streams;
        this.eventLog = eventLog;
        this.tail = tail;
        this.epoch = epoch;
    }

    /** Where a stream begins: after a position, or with a reset. */
    private sealed interface Start {
        record After(long position) implements Start {}

        record Reset(Streams.Reset reason, long oldest) implements Start {}
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        List<Violation> violations = new ArrayList<>();
        StreamRequest request = StreamRequest.of(exchange, violations);
        if (!violations.isEmpty()) {
            Replies.problem(exchange, Problem.INVALID_PARAMETER, null, violations);
            return;
        }
        if (request.filter().conversationIds().size() == 1) {
            RequestFacts.noteConversation(
                    exchange, request.filter().conversationIds().iterator().next());
        }
        Optional<Streams.Place> place =
                streams.enter(!request.filter().conversationIds().isEmpty());
        if (place.isEmpty()) {
            refuse(exchange, Problem.TOO_MANY_STREAMS);
            return;
        }
        leaveAtEnd(exchange, place.get());
        // Outside of the handler's call, so that nobody ends the exchange when it returns.
        exchange.dispatch(SameThreadExecutor.INSTANCE, () -> find(exchange, request, place.get()));
    }

    /** A connection of HTTP/2 outlives its streams, and one of HTTP/1 is the stream. */
    private static void leaveAtEnd(HttpServerExchange exchange, Streams.Place place) {
        if (exchange.getConnection() instanceof HttpServerConnection http) {
            http.addCloseListener(closed -> place.leave());
        } else {
            exchange.addExchangeCompleteListener((completed, others) -> {
                place.leave();
                others.proceed();
            });
        }
    }

    /** EventSource gives up for good on any status but 200, so it gets one, and is told to come back. */
    public static void refuse(HttpServerExchange exchange, Problem problem) {
        String accept = exchange.getRequestHeaders().getFirst(Headers.ACCEPT);
        if (accept == null || !accept.contains(EVENT_STREAM)) {
            Replies.problem(exchange, problem, null);
            return;
        }
        RequestFacts.noteProblem(exchange, problem);
        setHeaders(exchange);
        exchange.getResponseSender().send(ByteBuffer.wrap(SseFrames.overloaded()));
    }

    private void find(HttpServerExchange exchange, StreamRequest request, Streams.Place place) {
        if (request.lastEventId() == null && request.replay() == 0) {
            begin(exchange, request, null);
            return;
        }
        Optional<StreamId> id = Optional.ofNullable(request.lastEventId()).flatMap(StreamId::parse);
        if (id.isPresent() && isInWindow(id.get())) {
            begin(exchange, request, new Start.After(id.get().position()));
            return;
        }
        new Look(exchange, request, place, id).begin();
    }

    /**
     * A look into the log by a worker, for one request. It ends in time also if the log's storage hangs, or if so many
     * readers come at once that the workers cannot keep up: then the reader is told to come back.
     */
    private final class Look {
        private final HttpServerExchange exchange;
        private final StreamRequest request;
        private final Streams.Place place;
        private final Optional<StreamId> id;
        private XnioExecutor.Key timer;

        /** Written by the I/O thread alone; a worker that has not begun yet need not. */
        private volatile boolean over;

        Look(HttpServerExchange exchange, StreamRequest request, Streams.Place place, Optional<StreamId> id) {
            this.exchange = exchange;
            this.request = request;
            this.place = place;
            this.id = id;
        }

        void begin() {
            timer = exchange.getIoThread()
                    .executeAfter(
                            () -> giveUp(Problem.DATABASE_UNAVAILABLE), LOOK_MAX.toMillis(), TimeUnit.MILLISECONDS);
            exchange.getConnection().getWorker().execute(this::look);
        }

        private void look() {
            if (over) {
                return;
            }
            try {
                Start start = request.lastEventId() == null ? last(request) : resume(id);
                onIoThread(() -> found(start));
            } catch (LogUnavailableException e) {
                onIoThread(() -> giveUp(Problem.DATABASE_UNAVAILABLE));
            } catch (RuntimeException e) {
                log.error("A stream's beginning could not be found", e);
                onIoThread(() -> giveUp(Problem.INTERNAL_ERROR));
            }
        }

        private void onIoThread(Runnable task) {
            try {
                exchange.getIoThread().execute(task);
            } catch (RejectedExecutionException e) {
                // The server has stopped meanwhile, and the connection is gone.
            }
        }

        private void found(Start start) {
            if (end()) {
                StreamHandler.this.begin(exchange, request, start);
            }
        }

        private void giveUp(Problem problem) {
            if (end() && exchange.getConnection().isOpen()) {
                place.leave();
                refuse(exchange, problem);
            }
        }

        private boolean end() {
            boolean first = !over;
            over = true;
            timer.remove();
            return first;
        }
    }

    private boolean isInWindow(StreamId id) {
        long head = streams.broadcaster().head();
        return id.epoch().equals(epoch)
                && id.position() >= streams.floor()
                && id.position() <= head
                && head - id.position() <= streams.settings().replayEventsMax();
    }

    private Start last(StreamRequest request) {
        return new Start.After(Math.min(
                eventLog.beforeLast(request.replay(), request.filter()),
                streams.broadcaster().head()));
    }

    private Start resume(Optional<StreamId> id) {
        LogState state = eventLog.state();
        if (id.isEmpty()) {
            return new Start.Reset(Streams.Reset.MALFORMED, state.floor());
        }
        long position = id.get().position();
        if (!id.get().epoch().equals(epoch)) {
            return new Start.Reset(Streams.Reset.OTHER_EPOCH, state.floor());
        }
        if (position > state.head()) {
            return new Start.Reset(Streams.Reset.AHEAD, state.floor());
        }
        if (position < state.floor()) {
            return new Start.Reset(Streams.Reset.NOT_RETAINED, state.floor());
        }
        if (state.head() - position > streams.settings().replayEventsMax()) {
            return new Start.Reset(Streams.Reset.TOO_FAR_BEHIND, state.floor());
        }
        awaitHead(position);
        return new Start.After(position);
    }

    /** The reader comes from a node that is a moment ahead of this one. */
    private void awaitHead(long position) {
        long deadline = System.nanoTime() + LOOK_MAX.toNanos();
        while (streams.broadcaster().head() < position) {
            if (System.nanoTime() - deadline > 0) {
                throw new LogUnavailableException("the log's tail does not follow", null);
            }
            tail.hint(position);
            try {
                TimeUnit.NANOSECONDS.sleep(AHEAD_POLL.toNanos());
            } catch (InterruptedException e) {
                throw new LogUnavailableException("stopping", e);
            }
        }
    }

    /** @param start null: with what comes next */
    private void begin(HttpServerExchange exchange, StreamRequest request, Start start) {
        if (!exchange.getConnection().isOpen()) {
            return;
        }
        setHeaders(exchange);
        boolean chunked = exchange.isHttp11();
        if (chunked) {
            exchange.getResponseHeaders().put(Headers.TRANSFER_ENCODING, Headers.CHUNKED.toString());
            exchange.putAttachment(HttpAttachments.PRE_CHUNKED_RESPONSE, true);
        }
        int form = SseFrames.form(request.named(), chunked);
        Lane lane = streams.lane(exchange.getIoThread());
        long after = start instanceof Start.After given ? given.position() : lane.position();
        byte[] greeting = start instanceof Start.Reset reset
                ? streams.frames().reset(form, reset.reason().label(), request.lastEventId(), reset.oldest(), after)
                : streams.frames().greeting(form, after);
        count(request, start);
        SseConnection.Plan plan = new SseConnection.Plan(request.filter(), form, after, age());
        RequestLog.streamBegins(exchange);
        ObjLongConsumer<CloseReason> ended = (reason, events) -> {
            streams.countEnd(reason);
            RequestLog.streamEnded(exchange, reason, events);
        };
        SseConnection.of(exchange, lane, plan, ended).open(exchange, greeting);
    }

    private void count(StreamRequest request, Start start) {
        if (start instanceof Start.Reset reset) {
            streams.countReset(reset.reason());
            streams.countStart(Streams.Start.RESET);
        } else if (start == null) {
            streams.countStart(Streams.Start.LIVE);
        } else {
            streams.countStart(request.lastEventId() == null ? Streams.Start.LAST : Streams.Start.RESUMED);
        }
    }

    private Duration age() {
        long max = streams.settings().ageMax().toMillis();
        double part = 1 - Streams.AGE_SPREAD * ThreadLocalRandom.current().nextDouble();
        return Duration.ofMillis((long) (max * part));
    }

    private static void setHeaders(HttpServerExchange exchange) {
        HeaderMap headers = exchange.getResponseHeaders();
        exchange.setStatusCode(StatusCodes.OK);
        headers.put(Headers.CONTENT_TYPE, EVENT_STREAM + "; charset=utf-8");
        headers.put(Headers.CACHE_CONTROL, "no-cache, no-transform");
        headers.put(X_ACCEL_BUFFERING, "no");
    }
}
