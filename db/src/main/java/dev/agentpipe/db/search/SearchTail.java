package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.MESSAGES;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.octetLength;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.search.SearchHits.Hit;
import dev.agentpipe.db.search.SearchTexts.Document;
import dev.agentpipe.db.search.SearchTexts.MessageKey;
import dev.agentpipe.db.search.text.DocumentParts;
import dev.agentpipe.db.search.text.SearchQuery;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record4;

/**
 * What the log has and the index does not yet: analyzed for this one search, and matched by PostgreSQL like the rest. So who
 * has just stored a message finds it. The newest of it, if it is much, as while more comes in than is indexed beside it.
 */
final class SearchTail {

    private static final int EVENTS_MAX = 400;
    private static final int BYTES_MAX = 1 << 20;
    private static final int DESCRIPTIONS_MAX = 20;

    private final DSLContext sql;
    private final SearchQuery query;
    private final long indexed;
    private final long head;
    private final List<MessageKey> messages = new ArrayList<>();
    private final List<MessageKey> descriptions = new ArrayList<>();
    private boolean isComplete = true;

    SearchTail(DSLContext sql, SearchQuery query, long indexed, long head) {
        this.sql = sql;
        this.query = query;
        this.indexed = indexed;
        this.head = head;
    }

    /** Whether {@link #find} has looked at all of it. */
    boolean isComplete() {
        return isComplete;
    }

    void find(SearchFilter filter, SearchHits hits) {
        if (indexed >= head) {
            return;
        }
        choose();
        DocumentParts parts = new DocumentParts();
        List<Document> documents = new ArrayList<>();
        if (!messages.isEmpty()) {
            documents.addAll(SearchTexts.messages(sql, messages, parts::of));
        }
        if (!descriptions.isEmpty()) {
            documents.addAll(SearchTexts.descriptions(sql, descriptions, parts::of));
        }
        if (documents.isEmpty()) {
            return;
        }
        List<Hit> found = matching(documents);
        Set<String> ids = new HashSet<>();
        found.forEach(hit -> ids.add(hit.conversationId()));
        Set<String> passing = filter.isEmpty() || ids.isEmpty() ? ids : new HashSet<>(filter.passing(sql, ids));
        found.stream().filter(hit -> passing.contains(hit.conversationId())).forEach(hits::add);
    }

    private void choose() {
        List<Record4<Long, String, String, Integer>> rows = sql.select(
                        EVENTS.POSITION, EVENTS.TYPE, EVENTS.CONVERSATION_ID, octetLength(MESSAGES.CONTENT))
                .from(EVENTS)
                .leftJoin(MESSAGES)
                .on(EVENTS.TYPE.eq(EventType.MESSAGE_CREATED.wireName()))
                .and(MESSAGES.CONVERSATION_ID.eq(EVENTS.CONVERSATION_ID))
                .and(MESSAGES.POSITION.eq(EVENTS.POSITION))
                .where(EVENTS.POSITION.gt(indexed).and(EVENTS.POSITION.le(head)))
                .orderBy(EVENTS.POSITION.desc())
                .limit(EVENTS_MAX + 1)
                .fetch();
        isComplete = rows.size() <= EVENTS_MAX;
        long bytes = 0;
        for (Record4<Long, String, String, Integer> row : rows.subList(0, Math.min(rows.size(), EVENTS_MAX))) {
            MessageKey key = new MessageKey(row.value3(), row.value1());
            switch (EventType.of(row.value2())) {
                case MESSAGE_CREATED -> {
                    if (row.value4() != null) {
                        isComplete &= bytes < BYTES_MAX;
                        if (bytes < BYTES_MAX) {
                            messages.add(key);
                        }
                        bytes += row.value4();
                    }
                }
                case CONVERSATION_STARTED, CONVERSATION_COMPLETED, CONVERSATION_INTERRUPTED -> {
                    if (descriptions.size() < DESCRIPTIONS_MAX) {
                        descriptions.add(key);
                    } else {
                        isComplete = false;
                    }
                }
                // Up to thousands of messages.
                case SESSION_UPLOADED -> isComplete = false;
                default -> {}
            }
        }
    }

    private List<Hit> matching(List<Document> documents) {
        Field<String> words = field("words::tsvector", String.class);
        return sql.select(field("ordinal", Integer.class), SearchTransaction.rank(words, query))
                .from(
                        "unnest({0}) with ordinality as made (words, ordinal)",
                        SearchTexts.array(
                                documents,
                                String[]::new,
                                document -> document.content().words()))
                .where(SearchTransaction.matches(words, query))
                .fetch(row -> {
                    Document document = documents.get(row.value1() - 1);
                    return new Hit(
                            document.conversationId(),
                            document.position(),
                            document.part(),
                            document.content().from(),
                            document.content().chars(),
                            row.value2());
                });
    }
}
