package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.MESSAGES;
import static dev.agentpipe.db.generated.Tables.SEARCH_DOCUMENTS;
import static dev.agentpipe.db.generated.Tables.SEARCH_INDEX;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.notExists;
import static org.jooq.impl.DSL.octetLength;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import dev.agentpipe.db.search.text.DocumentParts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jooq.DSLContext;
import org.jooq.Record2;
import org.jooq.Record4;
import org.jooq.impl.DSL;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the index of the search up to the log's head, in steps that are short transactions: each reads some events, makes
 * the documents of what they say, and moves the index's position, all or nothing. So a server may be killed at any moment,
 * and of several servers one works, whichever gets the lock.
 *
 * <p>What the log does not say any more (an index that has stayed behind its floor) or was indexed by other rules is made
 * anew from what is stored, conversation by conversation.
 *
 * <p>A text that cannot be indexed, for whatever reason, gets a document without words, and a line in the log: the others
 * must not wait for it. One thread at a time.
 */
public final class SearchIndex {

    /** Events, or messages of a session, in a step. */
    private static final int EVENTS_MAX = 500;

    /** Content of a step's messages; one message may have more. */
    private static final long BYTES_MAX = 1 << 20;

    /** Conversations that are described anew in a step: each has some texts of up to 1 MiB. */
    private static final int DESCRIPTIONS_MAX = 20;

    /** The advisory lock of the one who works: an arbitrary number. */
    private static final long LOCK = 0x6167_656e_7470_6971L;

    private static final Logger log = LoggerFactory.getLogger(SearchIndex.class);

    private final DSLContext sql;
    private final DocumentParts parts = new DocumentParts();

    /** Fewer after a failure: who is at fault is found by going on alone. */
    private int eventsMax = EVENTS_MAX;

    private boolean leavesTextOut;

    /** Of the last step, for what is said about the next. */
    private long position;

    /**
     * How far a step has come.
     *
     * @param isMine whether this server works; another one does otherwise
     * @param isDone whether nothing was left to do
     * @param position what the log says up to here is in the index
     */
    public record Step(boolean isMine, boolean isDone, long position) {}

    private record State(
            long position, long within, int analysis, String rebuiltId, long rebuiltWithin, long floor, long head) {}

    private record Entry(long position, EventType type, String conversationId, Integer bytes) {}

    public SearchIndex(DSLContext sql) {
        this.sql = Statements.named(sql, "search_index");
    }

    /**
     * Does a little of what is to be done.
     *
     * @throws dev.agentpipe.core.log.LogUnavailableException while PostgreSQL is away
     */
    public Step step() {
        try {
            Step step = sql.transactionResult(configuration -> step(DSL.using(configuration)));
            leavesTextOut = false;
            position = step.position();
            eventsMax = Math.min(EVENTS_MAX, 2 * eventsMax);
            return step;
        } catch (RuntimeException failed) {
            if (PostgresFailures.isAway(failed)) {
                throw PostgresFailures.translated(failed);
            }
            if (leavesTextOut) {
                throw failed;
            }
            leavesTextOut = eventsMax == 1;
            eventsMax = 1;
            if (leavesTextOut) {
                // Not the exception itself: PostgreSQL quotes the text that it refuses.
                log.warn(
                        "A text after position {} cannot be indexed for the search ({}); it is left out",
                        position,
                        failed.getClass().getName());
            }
            return new Step(true, false, 0);
        }
    }

    private Step step(DSLContext transaction) {
        // Nobody need wait for the disk: what a crash takes back is done again.
        boolean mine = transaction
                .select(
                        field("pg_try_advisory_xact_lock({0})", Boolean.class, val(LOCK)),
                        field("set_config('synchronous_commit', 'off', true)"))
                .fetchSingle()
                .value1();
        State state = state(transaction);
        if (!mine || state.analysis() > DocumentParts.VERSION) {
            return new Step(false, false, state.position());
        }
        if (state.analysis() < DocumentParts.VERSION || state.position() < state.floor()) {
            return beginAnew(transaction, state);
        }
        List<Entry> entries = entries(transaction, state);
        if (!entries.isEmpty()) {
            return indexEntries(transaction, state, entries);
        }
        if (state.rebuiltId() != null) {
            return indexNextConversation(transaction, state);
        }
        if (state.position() < state.head()) { // numbers were skipped
            moveTo(transaction, state.head(), 0);
        }
        return new Step(true, true, state.head());
    }

    private static State state(DSLContext transaction) {
        return transaction
                .resultQuery("""
                        select position, within, analysis, rebuilt_id, rebuilt_within, floor, log_head()
                        from search_index, event_log""")
                .fetchSingle(row -> new State(
                        row.get(0, Long.class),
                        row.get(1, Long.class),
                        row.get(2, Integer.class),
                        row.get(3, String.class),
                        row.get(4, Long.class),
                        row.get(5, Long.class),
                        row.get(6, Long.class)));
    }

    private static Step beginAnew(DSLContext transaction, State state) {
        boolean isNew = state.analysis() == 0 && state.position() == 0 && state.floor() == 0;
        if (!isNew && state.analysis() < DocumentParts.VERSION) {
            transaction.truncate(SEARCH_DOCUMENTS).execute();
        }
        transaction
                .update(SEARCH_INDEX)
                .set(SEARCH_INDEX.ANALYSIS, DocumentParts.VERSION)
                .set(SEARCH_INDEX.POSITION, isNew ? 0 : state.head())
                .set(SEARCH_INDEX.WITHIN, 0L)
                .set(SEARCH_INDEX.REBUILT_ID, isNew ? null : "")
                .set(SEARCH_INDEX.REBUILT_WITHIN, 0L)
                .execute();
        if (!isNew) {
            log.info("The index of the search is made anew");
        }
        return new Step(true, false, isNew ? 0 : state.head());
    }

    private List<Entry> entries(DSLContext transaction, State state) {
        var next = transaction
                .select(EVENTS.POSITION, EVENTS.TYPE, EVENTS.CONVERSATION_ID)
                .from(EVENTS)
                .where(EVENTS.POSITION.gt(state.position()).and(EVENTS.POSITION.le(state.head())))
                .orderBy(EVENTS.POSITION)
                .limit(eventsMax)
                .asTable("next");
        return transaction
                .select(
                        next.field(EVENTS.POSITION),
                        next.field(EVENTS.TYPE),
                        next.field(EVENTS.CONVERSATION_ID),
                        octetLength(MESSAGES.CONTENT))
                .from(next)
                .leftJoin(MESSAGES)
                .on(next.field(EVENTS.TYPE).eq(EventType.MESSAGE_CREATED.wireName()))
                .and(MESSAGES.CONVERSATION_ID.eq(next.field(EVENTS.CONVERSATION_ID)))
                .and(MESSAGES.POSITION.eq(next.field(EVENTS.POSITION)))
                .orderBy(next.field(EVENTS.POSITION))
                .fetch(SearchIndex::entry);
    }

    private static Entry entry(Record4<Long, String, String, Integer> row) {
        return new Entry(row.value1(), EventType.of(row.value2()), row.value3(), row.value4());
    }

    private Step indexEntries(DSLContext transaction, State state, List<Entry> entries) {
        Entry first = entries.get(0);
        if (first.type() == EventType.SESSION_UPLOADED) {
            long within = indexMessagesOf(transaction, first.conversationId(), state.within());
            if (within >= 0) {
                moveTo(transaction, state.position(), within);
                return new Step(true, false, state.position());
            }
            describe(transaction, List.of(first));
            moveTo(transaction, first.position(), 0);
            return new Step(true, false, first.position());
        }
        List<SearchTexts.MessageKey> messages = new ArrayList<>();
        List<Entry> described = new ArrayList<>();
        List<Entry> deleted = new ArrayList<>();
        long bytes = 0;
        long position = state.position();
        for (Entry entry : entries) {
            if (entry.type() == EventType.SESSION_UPLOADED
                    || bytes >= BYTES_MAX
                    || described.size() >= DESCRIPTIONS_MAX) {
                break;
            }
            position = entry.position();
            switch (entry.type()) {
                case MESSAGE_CREATED -> {
                    if (entry.bytes() != null) {
                        messages.add(new SearchTexts.MessageKey(entry.conversationId(), entry.position()));
                        bytes += entry.bytes();
                    }
                }
                case CONVERSATION_STARTED, CONVERSATION_COMPLETED, CONVERSATION_INTERRUPTED -> described.add(entry);
                case CONVERSATION_DELETED -> deleted.add(entry);
                default -> {}
            }
        }
        indexMessages(transaction, messages);
        describe(transaction, described);
        // Their documents went with them; but a step that had read their messages before may have written some since.
        deleted.forEach(entry -> transaction
                .deleteFrom(SEARCH_DOCUMENTS)
                .where(SEARCH_DOCUMENTS.CONVERSATION_ID.eq(entry.conversationId()))
                .and(SEARCH_DOCUMENTS.POSITION.lt(entry.position()))
                .execute());
        moveTo(transaction, position, 0);
        return new Step(true, false, position);
    }

    private static void moveTo(DSLContext transaction, long position, long within) {
        transaction
                .update(SEARCH_INDEX)
                .set(SEARCH_INDEX.POSITION, position)
                .set(SEARCH_INDEX.WITHIN, within)
                .execute();
    }

    private Step indexNextConversation(DSLContext transaction, State state) {
        String id = transaction
                .select(CONVERSATIONS.ID)
                .from(CONVERSATIONS)
                .where(CONVERSATIONS.ID.gt(state.rebuiltId()))
                .orderBy(CONVERSATIONS.ID)
                .limit(1)
                .fetchOne(CONVERSATIONS.ID);
        long within = id == null ? -1 : indexMessagesOf(transaction, id, state.rebuiltWithin());
        if (within < 0 && id != null) {
            describe(transaction, List.of(new Entry(0, EventType.SESSION_UPLOADED, id, null)));
        }
        transaction
                .update(SEARCH_INDEX)
                .set(SEARCH_INDEX.REBUILT_ID, within < 0 ? id : state.rebuiltId())
                .set(SEARCH_INDEX.REBUILT_WITHIN, Math.max(within, 0))
                .execute();
        return new Step(true, false, state.position());
    }

    /** Of those that are not in the index, some; returns the position of the last, or -1 if none is left. */
    private long indexMessagesOf(DSLContext transaction, String conversationId, long after) {
        List<Record2<Long, Integer>> rows = transaction
                .select(MESSAGES.POSITION, octetLength(MESSAGES.CONTENT))
                .from(MESSAGES)
                .where(MESSAGES.CONVERSATION_ID.eq(conversationId))
                .and(MESSAGES.POSITION.gt(after))
                .and(notExists(select().from(SEARCH_DOCUMENTS)
                        .where(SEARCH_DOCUMENTS.CONVERSATION_ID.eq(MESSAGES.CONVERSATION_ID))
                        .and(SEARCH_DOCUMENTS.POSITION.eq(MESSAGES.POSITION))
                        .and(SEARCH_DOCUMENTS.PART.eq(0))))
                .orderBy(MESSAGES.POSITION)
                .limit(eventsMax)
                .fetch();
        List<SearchTexts.MessageKey> messages = new ArrayList<>();
        long bytes = 0;
        for (Record2<Long, Integer> row : rows) {
            if (bytes >= BYTES_MAX) {
                break;
            }
            bytes += row.value2();
            messages.add(new SearchTexts.MessageKey(conversationId, row.value1()));
        }
        indexMessages(transaction, messages);
        boolean isAll = messages.size() == rows.size() && rows.size() < eventsMax;
        return isAll ? -1 : messages.get(messages.size() - 1).position();
    }

    private void indexMessages(DSLContext transaction, List<SearchTexts.MessageKey> keys) {
        if (!keys.isEmpty()) {
            SearchTexts.insert(transaction, SearchTexts.messages(transaction, keys, this::partsOf));
        }
    }

    private void describe(DSLContext transaction, List<Entry> entries) {
        if (entries.isEmpty()) {
            return;
        }
        List<SearchTexts.MessageKey> keys = entries.stream()
                .map(entry -> new SearchTexts.MessageKey(entry.conversationId(), entry.position()))
                .toList();
        transaction
                .deleteFrom(SEARCH_DOCUMENTS)
                .where(SEARCH_DOCUMENTS.CONVERSATION_ID.in(keys.stream()
                        .map(SearchTexts.MessageKey::conversationId)
                        .toList()))
                .and(SEARCH_DOCUMENTS.PART.lt(0))
                .execute();
        SearchTexts.insert(transaction, SearchTexts.descriptions(transaction, keys, this::partsOf));
    }

    private List<DocumentParts.Part> partsOf(Map<String, DocumentParts.Weight> texts) {
        return leavesTextOut ? List.of(new DocumentParts.Part(0, 0, "")) : parts.of(texts);
    }
}
