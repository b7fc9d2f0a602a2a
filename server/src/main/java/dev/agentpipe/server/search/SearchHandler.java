package dev.agentpipe.server.search;

import dev.agentpipe.core.log.StreamId;
import dev.agentpipe.db.search.Search;
import dev.agentpipe.db.search.Search.FoundConversation;
import dev.agentpipe.db.search.Search.FoundMessage;
import dev.agentpipe.server.http.Access;
import dev.agentpipe.server.http.Problem;
import dev.agentpipe.server.http.Reads;
import dev.agentpipe.server.http.Replies;
import dev.agentpipe.server.http.RequestBodies;
import dev.agentpipe.server.http.Scope;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.Headers;
import io.undertow.util.StatusCodes;
import java.math.RoundingMode;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code POST /api/search}: a question in the body, since it may be long and should not stand in logs of URLs. */
public final class SearchHandler implements HttpHandler {

    private static final int BODY_BYTES_MAX = 64 << 10;
    private static final int DEPTH_MAX = 64;

    private final Access access;
    private final Reads reads;
    private final Search search;
    private final String epoch;
    private final RequestBodies bodies = new RequestBodies(BODY_BYTES_MAX, 64L * BODY_BYTES_MAX);
    private final JsonMapper json = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(DEPTH_MAX)
                            .build())
                    .build())
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** @param epoch of the log */
    public SearchHandler(Access access, Reads reads, Search search, String epoch) {
        this.access = access;
        this.reads = reads;
        this.search = search;
        this.epoch = epoch;
    }

    @Override
    public void handleRequest(HttpServerExchange exchange) {
        if (!access.allows(exchange, Scope.READ)) {
            return;
        }
        String type = exchange.getRequestHeaders().getFirst(Headers.CONTENT_TYPE);
        if (type != null && !type.split(";")[0].strip().toLowerCase(Locale.ROOT).equals("application/json")) {
            Replies.problem(exchange, Problem.UNSUPPORTED_MEDIA_TYPE, "Send application/json.");
            return;
        }
        bodies.read(
                exchange,
                body -> reads.answer(exchange, () -> answer(exchange, body)),
                failure -> refuse(exchange, failure));
    }

    private static void refuse(HttpServerExchange exchange, RequestBodies.Failure failure) {
        if (failure == RequestBodies.Failure.TOO_LARGE) {
            Replies.problem(exchange, Problem.REQUEST_TOO_LARGE, "A search may have " + BODY_BYTES_MAX + " bytes.");
        } else {
            Replies.problem(exchange, Problem.TOO_MANY_READS, null);
        }
    }

    private Runnable answer(HttpServerExchange exchange, byte[] body) {
        JsonNode node;
        try {
            node = json.readTree(body);
        } catch (JacksonException e) {
            String detail = e.getLocation() == null
                    ? null
                    : "At byte " + e.getLocation().getByteOffset() + ".";
            return () -> Replies.problem(exchange, Problem.INVALID_JSON, detail);
        }
        SearchBody.Question question = SearchBody.read(node);
        Search.Results found = search.find(question.request());
        Map<String, Object> answer = answer(question, found);
        return () -> Replies.json(exchange, StatusCodes.OK, answer);
    }

    private Map<String, Object> answer(SearchBody.Question question, Search.Results found) {
        int limit = question.request().limit();
        Map<String, Object> pagination = new LinkedHashMap<>();
        pagination.put("page", question.page());
        pagination.put("limit", limit);
        pagination.put("total", found.total());
        pagination.put("pages", (found.total() + limit - 1) / limit);
        pagination.put("totalIsLowerBound", found.totalIsLowerBound());
        Map<String, Object> index = new LinkedHashMap<>();
        index.put("complete", found.isComplete());
        index.put("upTo", new StreamId(epoch, found.position()).toString());
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put(
                "results", found.results().stream().map(SearchHandler::result).toList());
        answer.put("pagination", pagination);
        answer.put("index", index);
        return answer;
    }

    private static Map<String, Object> result(FoundConversation found) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("id", found.id());
        result.put("name", found.name());
        result.put("status", found.status());
        result.put("mode", found.mode());
        result.put("source", found.source());
        result.put("createdAt", text(found.createdAt()));
        result.put("startedAt", text(found.startedAt()));
        result.put("completedAt", text(found.completedAt()));
        result.put("initialPrompt", found.initialPrompt());
        result.put("summaryText", found.summaryText());
        result.put("summaryShortText", found.summaryShortText());
        result.put("totalMessages", found.totalMessages());
        result.put("totalTokens", found.totalTokens());
        result.put("totalCost", found.totalCost());
        result.put("totalDuration", found.totalDurationMs().setScale(0, RoundingMode.HALF_UP));
        result.put("participants", found.participants());
        result.put("score", found.score());
        result.put("matches", found.matches());
        result.put(
                "excerpts",
                found.excerpts().stream()
                        .map(excerpt -> {
                            Map<String, Object> one = new LinkedHashMap<>();
                            one.put("field", excerpt.field());
                            one.put("content", excerpt.snippet().content());
                            one.put("highlights", excerpt.snippet().highlights());
                            return one;
                        })
                        .toList());
        result.put(
                "messagePreview",
                found.messages().stream().map(SearchHandler::message).toList());
        return result;
    }

    private static Map<String, Object> message(FoundMessage found) {
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("id", found.id());
        message.put("agentType", found.agentType());
        message.put("agentName", found.agentName());
        message.put("role", found.role() != null ? found.role() : "agent");
        message.put("content", found.snippet().content());
        message.put("highlights", found.snippet().highlights());
        message.put("timestamp", text(found.createdAt()));
        return message;
    }

    private static String text(Object time) {
        return time == null ? null : time.toString();
    }
}
