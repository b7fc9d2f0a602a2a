package dev.agentpipe.server.http;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.Violation;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.CommitOutcome;
import dev.agentpipe.core.log.GroupCommit;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * {@code POST /api/ingest}: reads the body on the I/O thread, hands its events to the group commit, and answers on the I/O
 * thread once they are durable; meanwhile no thread waits. Large bodies are parsed by a worker, so that they do not hold
 * up an I/O thread's other connections.
 *
 * <p>Once its body is complete a request is finished, whether its client is still there or not.
 */
public final class IngestHandler implements HttpHandler {

    /** Above it a body is parsed by a worker: about a millisecond of parsing. */
    private static final int PARSE_HERE_BYTES_MAX = 128 << 10;

    private static final String NDJSON = "application/x-ndjson";

    private final Access access;
    private final RequestBodies bodies;
    private final EventReader reader;
    private final EventLimit limit;
    private final GroupCommit groupCommit;
    private final IngestReplies replies;
    private final Telemetry telemetry;
    private final int requestBytesMax;

    /** @param epoch of the log that the group commit appends to */
    public IngestHandler(
            Access access,
            EventReader reader,
            EventLimit limit,
            GroupCommit groupCommit,
            String epoch,
            int requestBytesMax,
            Telemetry telemetry) {
        this.telemetry = telemetry;
        this.access = access;
        this.reader = reader;
        this.limit = limit;
        this.groupCommit = groupCommit;
        this.replies = new IngestReplies(epoch);
        this.requestBytesMax = requestBytesMax;
        this.bodies = new RequestBodies(requestBytesMax, 16L * requestBytesMax);
    }

    /** What the bodies under way take. */
    long bodyBytes() {
        return bodies.allBytes();
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (!access.allows(exchange, Scope.INGEST)) {
            return;
        }
        String contentType = mediaType(exchange);
        boolean lines = contentType.equals(NDJSON);
        if (!lines && !contentType.equals("application/json")
                || exchange.getRequestHeaders().contains(Headers.CONTENT_ENCODING)) {
            Replies.problem(
                    exchange,
                    Problem.UNSUPPORTED_MEDIA_TYPE,
                    "Send application/json or " + NDJSON + ", in UTF-8 and without a content encoding.");
            return;
        }
        bodies.read(exchange, body -> parse(exchange, body, lines), failure -> refuse(exchange, failure));
    }

    /** In lower case, without parameters. Without a header it is taken for JSON; parsing will tell. */
    private static String mediaType(HttpServerExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst(Headers.CONTENT_TYPE);
        if (header == null) {
            return "application/json";
        }
        int semicolon = header.indexOf(';');
        return (semicolon < 0 ? header : header.substring(0, semicolon)).strip().toLowerCase(Locale.ROOT);
    }

    private void refuse(HttpServerExchange exchange, RequestBodies.Failure failure) {
        if (failure == RequestBodies.Failure.TOO_LARGE) {
            Replies.problem(exchange, Problem.REQUEST_TOO_LARGE, "A request may have " + requestBytesMax + " bytes.");
        } else {
            Replies.problem(exchange, Problem.QUEUE_FULL, "Too many bytes of requests are under way.");
        }
    }

    private void parse(HttpServerExchange exchange, byte[] body, boolean lines) {
        if (body.length <= PARSE_HERE_BYTES_MAX) {
            append(exchange, read(body, lines));
            return;
        }
        exchange.getConnection().getWorker().execute(RequestScope.step(exchange, () -> {
            ReadResult result = read(body, lines);
            exchange.getIoThread().execute(RequestScope.step(exchange, () -> append(exchange, result)));
        }));
    }

    private ReadResult read(byte[] body, boolean lines) {
        return lines ? reader.readLines(body) : reader.readJson(body);
    }

    private void append(HttpServerExchange exchange, ReadResult result) {
        if (result instanceof ReadResult.Malformed malformed) {
            telemetry.rejected(malformed.code());
            List<Violation> errors = malformed.pointer().isEmpty()
                    ? List.of()
                    : List.of(new Violation(malformed.pointer(), malformed.detail()));
            Replies.problem(exchange, Problem.ofCode(malformed.code()), malformed.detail(), errors);
            return;
        }
        ReadResult.Events read = (ReadResult.Events) result;
        List<Event> events = new ArrayList<>(read.items().size());
        for (Item item : read.items()) {
            if (item instanceof Item.Accepted accepted) {
                events.add(accepted.event());
            } else {
                telemetry.rejected(((Item.Rejected) item).code());
            }
        }
        if (events.isEmpty()) {
            replies.nothingToAppend(exchange, read);
            return;
        }
        RequestFacts.noteConversation(exchange, oneConversation(events));
        limit.admit(
                exchange,
                events,
                giveBack -> groupCommit.append(
                        events,
                        exchange.getIoThread(),
                        outcome ->
                                RequestScope.run(exchange, () -> answer(exchange, read, events, outcome, giveBack))));
    }

    /** Null if there are several, or events without any. */
    private static String oneConversation(List<Event> events) {
        String first = events.get(0).envelope().conversationId();
        for (int i = 1; i < events.size(); i++) {
            if (first == null || !first.equals(events.get(i).envelope().conversationId())) {
                return null;
            }
        }
        return first;
    }

    private void answer(
            HttpServerExchange exchange,
            ReadResult.Events read,
            List<Event> events,
            CommitOutcome outcome,
            Runnable giveBack) {
        if (outcome instanceof CommitOutcome.Refused refused) {
            giveBack.run();
            replies.refused(exchange, refused.reason());
            return;
        }
        List<AppendResult> results = ((CommitOutcome.Committed) outcome).results();
        if (read.batch()) {
            replies.batch(exchange, read, results);
        } else {
            replies.single(exchange, events.get(0), results.get(0));
        }
    }
}
