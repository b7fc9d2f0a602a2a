package dev.agentpipe.server.read;

import dev.agentpipe.db.conversations.Conversation;
import dev.agentpipe.db.conversations.ConversationFilter;
import dev.agentpipe.db.conversations.ConversationOrder;
import dev.agentpipe.db.conversations.ConversationOrder.By;
import dev.agentpipe.db.conversations.ConversationPlace;
import dev.agentpipe.db.conversations.Conversations;
import dev.agentpipe.server.http.Answer;
import dev.agentpipe.server.http.QueryParameters;
import dev.agentpipe.server.http.Read;
import dev.agentpipe.server.http.ReadRequest;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code GET /api/conversations}: a page by its number, with the total, or by a cursor, without. The parameters have the names
 * of agentpipe-web, where some have two.
 */
public final class ConversationList implements Read {

    static final List<String> STATUSES = List.of("ACTIVE", "COMPLETED", "INTERRUPTED", "ERROR");

    private static final Map<String, By> SORTS = new LinkedHashMap<>();
    private static final Map<String, Boolean> IS_DESCENDING = new LinkedHashMap<>();

    static {
        SORTS.put("createdAt", By.CREATED_AT);
        SORTS.put("startedAt", By.STARTED_AT);
        SORTS.put("totalCost", By.TOTAL_COST);
        SORTS.put("totalTokens", By.TOTAL_TOKENS);
        SORTS.put("totalDuration", By.TOTAL_DURATION);
        SORTS.put("totalMessages", By.TOTAL_MESSAGES);
        IS_DESCENDING.put("asc", false);
        IS_DESCENDING.put("desc", true);
    }

    private final Conversations conversations;

    public ConversationList(Conversations conversations) {
        this.conversations = conversations;
    }

    @Override
    public Answer read(ReadRequest request) {
        QueryParameters parameters = request.parameters();
        ConversationFilter filter = filter(parameters);
        ConversationOrder order = new ConversationOrder(
                parameters.choice(List.of("sortBy", "sort"), SORTS, By.CREATED_AT),
                parameters.choice(List.of("sortOrder", "order"), IS_DESCENDING, true));
        int limit = parameters.integer(List.of("pageSize", "limit"), ReadLimits.LIST_DEFAULT, 1, ReadLimits.LIST_MAX);
        String question = "conversations " + order + filter;
        Optional<String> cursor = parameters.text("cursor", ReadLimits.CURSOR_CHARS_MAX);
        ConversationPlace after = cursor.flatMap(given -> Cursor.place(question, given))
                .map(ConversationList::toPlace)
                .orElse(null);
        if (cursor.isPresent() && after == null) {
            parameters.violation("cursor", "the nextCursor of an answer to the same filter, sort and order");
        }
        int page = page(parameters, limit, ReadLimits.LIST_OFFSET_MAX, cursor.isPresent());
        parameters.check();

        Conversations.Page found = conversations.list(filter, order, after, (page - 1) * limit, limit);
        Map<String, Object> body = new LinkedHashMap<>();
        body.put(
                "conversations",
                found.conversations().stream().map(ConversationBody::listed).toList());
        body.put("pagination", pagination(found, after == null ? page : null, limit, question));
        return Answer.withStreamPosition(body);
    }

    /** The page's number, which must not be further on than pages are looked for. */
    static int page(QueryParameters parameters, int limit, int offsetMax, boolean hasCursor) {
        int page = parameters.integer("page", 1, 1, Integer.MAX_VALUE);
        if (hasCursor && page != 1) {
            parameters.violation("page", "no page beside a cursor");
            return 1;
        }
        if ((page - 1L) * limit > offsetMax) {
            parameters.violation(
                    "page",
                    "a page that begins at most " + offsetMax
                            + " rows from the first; with nextCursor of an answer as cursor"
                            + " there is no such bound");
            return 1;
        }
        return page;
    }

    private static ConversationFilter filter(QueryParameters parameters) {
        List<String> statuses = parameters.list("status", 10, ReadLimits.WORD_CHARS_MAX);
        if (!STATUSES.containsAll(statuses)) {
            parameters.violation("status", "of " + String.join(", ", STATUSES));
        }
        return new ConversationFilter(
                statuses.stream().distinct().sorted().toList(),
                parameters.text("mode", ReadLimits.WORD_CHARS_MAX),
                parameters.text("source", ReadLimits.WORD_CHARS_MAX),
                parameters.text("agentType", ReadLimits.WORD_CHARS_MAX),
                parameters.text("model", ConversationFilter.MODEL_CHARS_MAX),
                parameters.instant("startDate"),
                parameters.endInstant("endDate"));
    }

    private static ConversationPlace toPlace(String place) {
        int space = place.indexOf(' ');
        return new ConversationPlace(new BigDecimal(place.substring(0, space)), place.substring(space + 1));
    }

    private static Map<String, Object> pagination(Conversations.Page found, Integer page, int limit, String question) {
        List<Conversation> conversations = found.conversations();
        String next = null;
        if (found.isCut()) {
            ConversationPlace last = found.places().get(conversations.size() - 1);
            next = Cursor.of(question, last.value().toPlainString() + ' ' + last.id());
        }
        Map<String, Object> pagination = new LinkedHashMap<>();
        pagination.put("page", page);
        pagination.put("pageSize", limit);
        pagination.put("totalCount", found.total().orElse(null));
        pagination.put(
                "totalPages",
                found.total().map(total -> (total + limit - 1) / limit).orElse(null));
        pagination.put("isTotalExact", page == null ? null : found.isTotalExact());
        pagination.put("hasNextPage", found.isCut());
        pagination.put("hasPreviousPage", page == null || page > 1);
        pagination.put("nextCursor", next);
        return pagination;
    }
}
