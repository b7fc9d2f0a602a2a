package dev.agentpipe.server.search;

import dev.agentpipe.core.event.Violation;
import dev.agentpipe.db.search.Search;
import dev.agentpipe.db.search.Search.Filters;
import dev.agentpipe.db.search.Search.Sort;
import dev.agentpipe.db.search.text.SearchQuery;
import dev.agentpipe.server.http.BadRequest;
import dev.agentpipe.server.http.QueryParameters;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** Reads what a search asks for. Members that are not known are ignored, those that are absent or null have defaults. */
final class SearchBody {

    private static final int LIMIT_DEFAULT = 20;
    private static final int LIMIT_MAX = 100;
    private static final int VALUES_MAX = 100;
    private static final int VALUE_CHARS_MAX = 255;
    private static final int COST_WHOLE_DIGITS_MAX = 15;
    private static final int COST_SCALE_MAX = 18;

    private static final Map<String, Boolean> ORDERS = Map.of("asc", false, "desc", true);
    private static final Map<String, String> STATUSES = statuses();
    private static final Map<String, Sort> SORTS = sorts();

    /** The question, and the page as it was asked for. */
    record Question(Search.Request request, int page) {}

    private final JsonNode body;
    private final List<Violation> violations = new ArrayList<>();

    private SearchBody(JsonNode body) {
        this.body = body;
    }

    private static Map<String, String> statuses() {
        Map<String, String> statuses = new LinkedHashMap<>();
        List.of("ACTIVE", "COMPLETED", "INTERRUPTED", "ERROR").forEach(status -> statuses.put(status, status));
        return statuses;
    }

    private static Map<String, Sort> sorts() {
        Map<String, Sort> sorts = new LinkedHashMap<>();
        sorts.put("relevance", Sort.RELEVANCE);
        sorts.put("createdAt", Sort.CREATED_AT);
        sorts.put("startedAt", Sort.STARTED_AT);
        sorts.put("totalCost", Sort.TOTAL_COST);
        sorts.put("totalTokens", Sort.TOTAL_TOKENS);
        sorts.put("totalDuration", Sort.TOTAL_DURATION);
        sorts.put("totalMessages", Sort.TOTAL_MESSAGES);
        return sorts;
    }

    /** @throws BadRequest with everything that is wrong */
    static Question read(JsonNode body) {
        if (!body.isObject()) {
            throw BadRequest.of("", "an object");
        }
        return new SearchBody(body).question();
    }

    private Question question() {
        int page = (int) integer("/page", 1, 1, Integer.MAX_VALUE);
        int limit = (int) integer("/limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
        long offset = (page - 1L) * limit;
        if (offset > Search.RESULTS_MAX) {
            refuse("/page", "among the first " + Search.RESULTS_MAX + " results");
        }
        Search.Request request = new Search.Request(
                query(),
                filters(),
                choice("/sort", SORTS, Sort.RELEVANCE),
                choice("/order", ORDERS, true),
                (int) Math.min(offset, Search.RESULTS_MAX),
                limit);
        if (!violations.isEmpty()) {
            throw new BadRequest(violations);
        }
        return new Question(request, page);
    }

    /** Null if there is none. */
    private SearchQuery query() {
        String text = text("/query", body.at("/query"), SearchQuery.CHARS_MAX);
        boolean typing = flag("/typing");
        if (text == null || text.isBlank()) {
            return null;
        }
        try {
            return SearchQuery.parse(text, typing);
        } catch (SearchQuery.UnusableException e) {
            return refuse("/query", e.getMessage());
        }
    }

    private Filters filters() {
        JsonNode filters = body.at("/filters");
        if (isAbsent(filters)) {
            return Filters.NONE;
        }
        if (!filters.isObject()) {
            return refuse("/filters", "an object");
        }
        List<String> statuses = texts("/filters/status");
        if (!STATUSES.keySet().containsAll(statuses)) {
            refuse("/filters/status", "of " + String.join(", ", STATUSES.keySet()));
        }
        Filters read = new Filters(
                statuses,
                texts("/filters/agentTypes"),
                texts("/filters/models"),
                instant("/filters/startDate", false),
                instant("/filters/endDate", true),
                cost("/filters/minCost"),
                cost("/filters/maxCost"),
                tokens("/filters/minTokens"),
                tokens("/filters/maxTokens"));
        ordered("/filters/startDate", read.from(), "endDate", read.to());
        ordered("/filters/minCost", read.costMin(), "maxCost", read.costMax());
        ordered("/filters/minTokens", read.tokensMin(), "maxTokens", read.tokensMax());
        return read;
    }

    private <T extends Comparable<T>> void ordered(String pointer, T least, String other, T most) {
        if (least != null && most != null && least.compareTo(most) > 0) {
            refuse(pointer, "not above " + other);
        }
    }

    private static boolean isAbsent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private String text(String pointer, JsonNode node, int charsMax) {
        if (isAbsent(node)) {
            return null;
        }
        if (!node.isString()) {
            return refuse(pointer, "a string");
        }
        String text = node.stringValue();
        if (text.length() > charsMax) {
            return refuse(pointer, "at most " + charsMax + " characters");
        }
        if (text.codePoints().anyMatch(c -> c == 0 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            return refuse(pointer, "text without U+0000 and lone surrogates");
        }
        return text;
    }

    private List<String> texts(String pointer) {
        JsonNode node = body.at(pointer);
        if (isAbsent(node)) {
            return List.of();
        }
        if (!node.isArray() || node.size() > VALUES_MAX) {
            refuse(pointer, "an array of at most " + VALUES_MAX + " strings");
            return List.of();
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < node.size(); i++) {
            String text = text(pointer + "/" + i, node.get(i), VALUE_CHARS_MAX);
            if (text != null) {
                texts.add(text);
            } else if (node.get(i).isNull()) {
                refuse(pointer + "/" + i, "a string");
            }
        }
        return texts;
    }

    private boolean flag(String pointer) {
        JsonNode node = body.at(pointer);
        if (!isAbsent(node) && !node.isBoolean()) {
            refuse(pointer, "true or false");
        }
        return node.isBoolean() && node.booleanValue();
    }

    private <T> T choice(String pointer, Map<String, T> choices, T otherwise) {
        String text = text(pointer, body.at(pointer), VALUE_CHARS_MAX);
        if (text != null && !choices.containsKey(text)) {
            refuse(pointer, "one of " + String.join(", ", choices.keySet()));
        }
        return text == null ? otherwise : choices.getOrDefault(text, otherwise);
    }

    private long integer(String pointer, long otherwise, long min, long max) {
        JsonNode node = body.at(pointer);
        if (isAbsent(node)) {
            return otherwise;
        }
        if (!node.isIntegralNumber() || !node.canConvertToLong() || node.longValue() < min || node.longValue() > max) {
            refuse(pointer, "a whole number from " + min + " to " + max);
            return otherwise;
        }
        return node.longValue();
    }

    private Long tokens(String pointer) {
        return isAbsent(body.at(pointer)) ? null : (Long) integer(pointer, 0, 0, Long.MAX_VALUE);
    }

    private BigDecimal cost(String pointer) {
        JsonNode node = body.at(pointer);
        if (isAbsent(node)) {
            return null;
        }
        BigDecimal cost = node.isNumber() ? node.decimalValue() : null;
        // Its exponent may be any: nothing here expands it.
        if (cost == null
                || cost.signum() < 0
                || cost.scale() > COST_SCALE_MAX
                || (long) cost.precision() - cost.scale() > COST_WHOLE_DIGITS_MAX) {
            return refuse(pointer, "a number, 0 or more and below 1e" + COST_WHOLE_DIGITS_MAX);
        }
        return cost;
    }

    private Instant instant(String pointer, boolean isEnd) {
        String text = text(pointer, body.at(pointer), VALUE_CHARS_MAX);
        if (text == null || text.isBlank()) {
            return null;
        }
        return QueryParameters.instantOf(text.strip(), isEnd)
                .orElseGet(() -> refuse(pointer, QueryParameters.INSTANT_EXPECTED));
    }

    /** Always null, of whatever type is wanted. */
    private <T> T refuse(String pointer, String detail) {
        violations.add(new Violation(pointer, detail));
        return null;
    }
}
