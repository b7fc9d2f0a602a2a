package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.Violation;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.CommitOutcome;
import dev.agentpipe.core.log.StreamId;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderValues;
import io.undertow.util.Headers;
import io.undertow.util.HttpString;
import io.undertow.util.StatusCodes;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The answers of ingest.
 *
 * <p>The CLI never reads the body of a success, and Go then cannot use the connection again: 23 events made 23 connections,
 * and 2 with an empty body. So Go's client gets the ids in headers, and anyone else who prefers that.
 */
final class IngestReplies {

    private static final HttpString EVENT_ID = HttpString.tryFromString("Event-Id");
    private static final HttpString PREFER = HttpString.tryFromString("Prefer");
    private static final HttpString PREFERENCE_APPLIED = HttpString.tryFromString("Preference-Applied");
    private static final String MINIMAL = "return=minimal";
    private static final Pattern PREFERENCE =
            Pattern.compile("\\s*return\\s*=\\s*\"?([^\\s\";]*)\"?\\s*(?:;.*)?", Pattern.CASE_INSENSITIVE);
    private static final String GO_CLIENT = "Go-http-client/";

    private static final Violation CONFLICT = new Violation(
            "/data/message_id", "a message with this id, but with other content or in another conversation, is stored");

    private final String epoch;

    IngestReplies(String epoch) {
        this.epoch = epoch;
    }

    void refused(HttpServerExchange exchange, CommitOutcome.Reason reason) {
        switch (reason) {
            case QUEUE_FULL -> Replies.problem(exchange, Problem.QUEUE_FULL, null);
            case CLOSED -> Replies.problem(exchange, Problem.SHUTTING_DOWN, null);
            case FAILED -> Replies.problem(exchange, Problem.INTERNAL_ERROR, null);
            case UNAVAILABLE, TIMED_OUT ->
                Replies.problem(
                        exchange, Problem.DATABASE_UNAVAILABLE, "Nothing was acknowledged; send the same again.");
        }
    }

    void single(HttpServerExchange exchange, Event event, AppendResult result) {
        if (result instanceof AppendResult.Conflict) {
            Replies.problem(exchange, Problem.MESSAGE_ID_CONFLICT, CONFLICT.detail(), List.of(CONFLICT));
            return;
        }
        boolean isNew = result instanceof AppendResult.Stored;
        String eventId = new StreamId(epoch, position(result)).toString();
        String conversationId = event.envelope().conversationId();
        String messageId = event instanceof MessageCreated message ? message.messageId() : null;
        exchange.getResponseHeaders().put(EVENT_ID, eventId);
        if (conversationId != null) {
            exchange.getResponseHeaders().put(Headers.LOCATION, location(conversationId, messageId));
        }
        if (wantsMinimal(exchange)) {
            Replies.empty(exchange, status(isNew));
            return;
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("event_id", eventId);
        if (conversationId != null) {
            body.put("conversation_id", conversationId);
        }
        if (messageId != null) {
            body.put("message_id", messageId);
        }
        if (!isNew) {
            body.put("duplicate", true);
        }
        Replies.json(exchange, status(isNew), body);
    }

    private static int status(boolean isNew) {
        return isNew ? StatusCodes.CREATED : StatusCodes.OK;
    }

    private static long position(AppendResult result) {
        return result instanceof AppendResult.Stored stored
                ? stored.position()
                : ((AppendResult.Duplicate) result).position();
    }

    private static String location(String conversationId, String messageId) {
        String conversation = "/api/conversations/" + encode(conversationId);
        return messageId == null ? conversation : conversation + "#" + encode(messageId);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** @param results of the accepted items, in their order */
    void batch(HttpServerExchange exchange, ReadResult.Events read, List<AppendResult> results) {
        int accepted = 0;
        int duplicates = 0;
        List<Map<String, Object>> rejected = rejected(read);
        int next = 0;
        for (Item item : read.items()) {
            if (item instanceof Item.Accepted) {
                AppendResult result = results.get(next++);
                if (result instanceof AppendResult.Stored) {
                    accepted++;
                } else if (result instanceof AppendResult.Duplicate) {
                    duplicates++;
                } else {
                    rejected.add(rejection(item.index(), Problem.MESSAGE_ID_CONFLICT.code(), List.of(CONFLICT)));
                }
            }
        }
        rejected.sort(Comparator.comparingInt(one -> (int) one.get("index")));
        if (rejected.isEmpty() && wantsMinimal(exchange)) {
            Replies.empty(exchange, StatusCodes.OK);
            return;
        }
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("accepted", accepted);
        body.put("duplicates", duplicates);
        body.put("rejected", rejected);
        Replies.json(exchange, StatusCodes.OK, body);
    }

    /** For a body without a valid event. */
    void nothingToAppend(HttpServerExchange exchange, ReadResult.Events read) {
        if (read.items().isEmpty()) {
            batch(exchange, read, List.of());
            return;
        }
        Item.Rejected first = (Item.Rejected) read.items().get(0);
        if (!read.batch()) {
            Replies.problem(exchange, Problem.ofCode(first.code()), detail(first), first.violations());
            return;
        }
        List<Violation> errors = new ArrayList<>();
        for (Item item : read.items()) {
            Item.Rejected rejected = (Item.Rejected) item;
            rejected.violations()
                    .forEach(v -> errors.add(new Violation("/" + rejected.index() + v.pointer(), v.detail())));
        }
        boolean alike = read.items().stream()
                .allMatch(item -> ((Item.Rejected) item).code().equals(first.code()));
        Problem problem = alike ? Problem.ofCode(first.code()) : Problem.INVALID_EVENT;
        Replies.problem(exchange, problem, "None of the events is valid, nothing was stored.", errors);
    }

    private static String detail(Item.Rejected rejected) {
        return rejected.violations().size() == 1
                ? rejected.violations().get(0).detail()
                : rejected.violations().size() + " things are wrong with the event.";
    }

    private static List<Map<String, Object>> rejected(ReadResult.Events read) {
        List<Map<String, Object>> rejected = new ArrayList<>();
        for (Item item : read.items()) {
            if (item instanceof Item.Rejected one) {
                rejected.add(rejection(one.index(), one.code(), one.violations()));
            }
        }
        return rejected;
    }

    private static Map<String, Object> rejection(int index, String code, List<Violation> errors) {
        Map<String, Object> rejection = new LinkedHashMap<>();
        rejection.put("index", index);
        rejection.put("code", code);
        rejection.put("errors", errors);
        return rejection;
    }

    private static boolean wantsMinimal(HttpServerExchange exchange) {
        String agent = exchange.getRequestHeaders().getFirst(Headers.USER_AGENT);
        if (agent != null && agent.startsWith(GO_CLIENT)) {
            return true;
        }
        if (!prefersMinimal(exchange.getRequestHeaders().get(PREFER))) {
            return false;
        }
        exchange.getResponseHeaders().put(PREFERENCE_APPLIED, MINIMAL);
        return true;
    }

    /** A preference may come twice, in one header or in several; the first one counts (RFC 7240, section 2). */
    private static boolean prefersMinimal(HeaderValues headers) {
        return headers != null
                && headers.stream()
                        .flatMap(header -> Arrays.stream(header.split(",")))
                        .map(PREFERENCE::matcher)
                        .filter(Matcher::matches)
                        .map(preference -> preference.group(1).equalsIgnoreCase("minimal"))
                        .findFirst()
                        .orElse(false);
    }
}
