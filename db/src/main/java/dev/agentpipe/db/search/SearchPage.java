package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.CONVERSATIONS_WITH_TOTALS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.conversations.Conversation;
import dev.agentpipe.db.generated.tables.records.ConversationsWithTotalsRecord;
import dev.agentpipe.db.search.Search.Excerpt;
import dev.agentpipe.db.search.Search.FoundConversation;
import dev.agentpipe.db.search.Search.FoundMessage;
import dev.agentpipe.db.search.Search.Participant;
import dev.agentpipe.db.search.Search.Request;
import dev.agentpipe.db.search.Search.Results;
import dev.agentpipe.db.search.Search.Sort;
import dev.agentpipe.db.search.SearchHits.Hit;
import dev.agentpipe.db.search.SearchHits.OfConversation;
import dev.agentpipe.db.search.text.Snippet;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collector;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.SortField;

/** One page of the conversations that were found: a fixed number of statements, however many there are. */
final class SearchPage {

    private static final int PROMPT_CHARS = 200;

    /** Of a description or a long message, where a snippet is looked for. */
    private static final int TEXT_CHARS_MAX = 65_536;

    private final DSLContext sql;
    private final Request request;

    SearchPage(DSLContext sql, Request request) {
        this.sql = sql;
        this.request = request;
    }

    /** All conversations that pass, with the beginnings of their first messages. */
    Results ofAll(SearchFilter filter) {
        int total = sql.select(count())
                .from(selectOne()
                        .from(CONVERSATIONS_WITH_TOTALS)
                        .where(filter.ofConversation())
                        .limit(Search.RESULTS_MAX + 1))
                .fetchSingle()
                .value1();
        List<String> ids = sql.select(CONVERSATIONS_WITH_TOTALS.ID)
                .from(CONVERSATIONS_WITH_TOTALS)
                .where(filter.ofConversation())
                .orderBy(order())
                .offset(request.offset())
                .limit(request.limit())
                .fetch(CONVERSATIONS_WITH_TOTALS.ID);
        Map<String, List<FoundMessage>> messages = firstMessages(ids);
        List<FoundConversation> results = conversations(ids, new SearchHits(), messages);
        long head = sql.resultQuery("select log_head()").fetchSingle().get(0, Long.class);
        boolean more = total > Search.RESULTS_MAX;
        return new Results(results, more ? Search.RESULTS_MAX : total, more, head, true);
    }

    Results ofHits(SearchHits hits, boolean isLowerBound, long position, boolean isComplete) {
        List<String> sorted;
        if (request.sort() == Sort.RELEVANCE) {
            Set<String> there = there(hits.conversationIds());
            sorted = hits.byScore(request.isDescending()).stream()
                    .filter(there::contains)
                    .toList();
        } else {
            sorted = sql.select(CONVERSATIONS_WITH_TOTALS.ID)
                    .from(CONVERSATIONS_WITH_TOTALS)
                    .where(CONVERSATIONS_WITH_TOTALS.ID.in(hits.conversationIds()))
                    .orderBy(order())
                    .fetch(CONVERSATIONS_WITH_TOTALS.ID);
        }
        int from = Math.min(request.offset(), sorted.size());
        List<String> ids = sorted.subList(from, Math.min(from + request.limit(), sorted.size()));
        List<FoundConversation> results = conversations(ids, hits, matchingMessages(ids, hits));
        return new Results(results, sorted.size(), isLowerBound, position, isComplete);
    }

    /** Without those that were deleted and are still being taken away. */
    private Set<String> there(Collection<String> ids) {
        return sql.select(CONVERSATIONS.ID)
                .from(CONVERSATIONS)
                .where(CONVERSATIONS.ID.in(ids))
                .fetchSet(CONVERSATIONS.ID);
    }

    private List<SortField<?>> order() {
        Field<?> column = switch (request.sort()) {
            case RELEVANCE, CREATED_AT -> CONVERSATIONS_WITH_TOTALS.CREATED_AT;
            case STARTED_AT -> coalesce(CONVERSATIONS_WITH_TOTALS.STARTED_AT, CONVERSATIONS_WITH_TOTALS.FIRST_EVENT_AT);
            case TOTAL_COST -> CONVERSATIONS_WITH_TOTALS.TOTAL_COST;
            case TOTAL_TOKENS -> CONVERSATIONS_WITH_TOTALS.TOTAL_TOKENS;
            case TOTAL_DURATION -> CONVERSATIONS_WITH_TOTALS.TOTAL_DURATION_MS;
            case TOTAL_MESSAGES -> CONVERSATIONS_WITH_TOTALS.TOTAL_MESSAGES;
        };
        return request.isDescending()
                ? List.of(column.desc(), CONVERSATIONS_WITH_TOTALS.ID.desc())
                : List.of(column.asc(), CONVERSATIONS_WITH_TOTALS.ID.asc());
    }

    private List<FoundConversation> conversations(
            List<String> ids, SearchHits hits, Map<String, List<FoundMessage>> messages) {
        Map<String, ConversationsWithTotalsRecord> rows = new HashMap<>();
        for (ConversationsWithTotalsRecord row :
                sql.selectFrom(CONVERSATIONS_WITH_TOTALS).where(CONVERSATIONS_WITH_TOTALS.ID.in(ids))) {
            rows.put(row.getId(), row);
        }
        Map<String, List<Participant>> participants = participants(ids);
        List<FoundConversation> found = new ArrayList<>();
        for (String id : ids) {
            ConversationsWithTotalsRecord row = rows.get(id);
            if (row != null) {
                found.add(conversation(
                        row,
                        participants.getOrDefault(id, List.of()),
                        hits.of(id),
                        messages.getOrDefault(id, List.of())));
            }
        }
        return found;
    }

    private FoundConversation conversation(
            ConversationsWithTotalsRecord row,
            List<Participant> participants,
            OfConversation hits,
            List<FoundMessage> messages) {
        return new FoundConversation(
                row.getId(),
                Conversation.title(row.getName(), row.getInitialPrompt(), row.getId()),
                row.getStatus(),
                row.getMode(),
                row.getSource(),
                instant(row.getCreatedAt()),
                instant(row.getStartedAt() == null ? row.getFirstEventAt() : row.getStartedAt()),
                instant(row.getCompletedAt()),
                beginning(row.getInitialPrompt(), PROMPT_CHARS),
                row.getSummaryText(),
                row.getSummaryShortText(),
                row.getTotalMessages(),
                row.getTotalTokens(),
                row.getTotalCost(),
                row.getTotalDurationMs(),
                participants,
                hits.score(),
                hits.count(),
                hits.isDescriptionFound() ? excerpts(row) : List.of(),
                messages);
    }

    private List<Excerpt> excerpts(ConversationsWithTotalsRecord row) {
        Snippet.Maker maker = new Snippet.Maker(request.query());
        List<Excerpt> excerpts = new ArrayList<>();
        Map<String, String> seen = new HashMap<>();
        String[][] texts = {
            {"name", row.getName()},
            {"initialPrompt", row.getInitialPrompt()},
            {"summary", row.getSummaryShortText()},
            {"summary", row.getSummaryText()}
        };
        for (String[] text : texts) {
            if (text[1] != null && !seen.containsKey(text[0])) {
                Snippet snippet = maker.of(beginning(text[1], TEXT_CHARS_MAX));
                if (!snippet.highlights().isEmpty()) {
                    excerpts.add(new Excerpt(text[0], snippet));
                    seen.put(text[0], text[1]);
                }
            }
        }
        return excerpts;
    }

    private Map<String, List<Participant>> participants(List<String> ids) {
        return sql.select(
                        CONVERSATION_AGENTS.CONVERSATION_ID,
                        CONVERSATION_AGENTS.AGENT_TYPE,
                        CONVERSATION_AGENTS.NAME,
                        CONVERSATION_AGENTS.MODEL)
                .from(CONVERSATION_AGENTS)
                .where(CONVERSATION_AGENTS.CONVERSATION_ID.in(ids))
                .orderBy(CONVERSATION_AGENTS.CONVERSATION_ID, CONVERSATION_AGENTS.ORDINAL)
                .fetchGroups(
                        CONVERSATION_AGENTS.CONVERSATION_ID,
                        row -> new Participant(row.value2(), row.value3(), row.value4()));
    }

    /** The best of each conversation on the page. */
    private Map<String, List<FoundMessage>> matchingMessages(List<String> ids, SearchHits hits) {
        List<Hit> best =
                ids.stream().flatMap(id -> hits.of(id).bestMessages().stream()).toList();
        if (best.isEmpty()) {
            return Map.of();
        }
        Snippet.Maker maker = new Snippet.Maker(request.query());
        return sql
                .resultQuery(
                        """
                        select conversation_id, message_id, agent_type, agent_name, role, created_at,
                            substr(content, 1 + chars_from, chars)
                        from unnest({0}, {1}, {2}, {3}) with ordinality as best (id, at, chars_from, chars, ordinal)
                        join messages on conversation_id = id and position = at
                        order by ordinal""",
                        val(best.stream().map(Hit::conversationId).toArray(String[]::new)),
                        val(best.stream().map(Hit::position).toArray(Long[]::new)),
                        val(best.stream().map(Hit::charsFrom).toArray(Integer[]::new)),
                        val(best.stream()
                                .map(hit -> Math.min(hit.chars(), TEXT_CHARS_MAX))
                                .toArray(Integer[]::new)))
                .stream()
                .collect(SearchPage.grouped(row -> message(row, maker.of(row.get(6, String.class)))));
    }

    private Map<String, List<FoundMessage>> firstMessages(List<String> ids) {
        return sql
                .resultQuery(
                        """
                        select conversation_id, message_id, agent_type, agent_name, role, created_at,
                            left(content, {1}), length(content) > {1}
                        from unnest({0}) as wanted (id), lateral (
                            select * from messages where conversation_id = id order by position limit {2}) as first
                        order by conversation_id, position""", val(ids.toArray(String[]::new)), val(Snippet.CHARS_MAX), val(SearchHits.MESSAGES_SHOWN))
                .stream()
                .collect(SearchPage.grouped(row ->
                        message(row, Snippet.beginning(row.get(6, String.class), row.get(7, Boolean.class)))));
    }

    private static Collector<Record, ?, Map<String, List<FoundMessage>>> grouped(
            Function<Record, FoundMessage> toMessage) {
        return Collectors.groupingBy(
                row -> row.get(0, String.class), Collectors.mapping(toMessage, Collectors.toList()));
    }

    private static FoundMessage message(Record row, Snippet snippet) {
        return new FoundMessage(
                row.get(1, String.class),
                row.get(2, String.class),
                row.get(3, String.class),
                row.get(4, String.class),
                instant(row.get(5, OffsetDateTime.class)),
                snippet);
    }

    private static Instant instant(OffsetDateTime time) {
        return time == null ? null : time.toInstant();
    }

    /** Never half a character. */
    private static String beginning(String text, int charsMax) {
        if (text == null || text.length() <= charsMax) {
            return text;
        }
        return text.substring(0, charsMax - (Character.isLowSurrogate(text.charAt(charsMax)) ? 1 : 0));
    }
}
