package dev.agentpipe.db.conversations;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.CONVERSATIONS_WITH_TOTALS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.left;
import static org.jooq.impl.DSL.octetLength;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.when;

import dev.agentpipe.db.conversations.Conversation.Participant;
import dev.agentpipe.db.generated.tables.ConversationsWithTotals;
import dev.agentpipe.db.postgres.Statements;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.JSON;
import org.jooq.Record;
import org.jooq.Select;
import org.jooq.Table;

/**
 * The stored conversations, for those who read them. Thread-safe. Every method blocks, and throws {@link
 * dev.agentpipe.core.log.LogUnavailableException} while PostgreSQL is away.
 */
public final class Conversations {

    /** Of a text in a list. A prompt may be as large as an event, and a list has a hundred of them. */
    public static final int LISTED_CHARS_MAX = 10_000;

    /** Participants of one conversation in a list. */
    public static final int LISTED_PARTICIPANTS_MAX = 100;

    /** Of a participant's name in a list. */
    private static final int LISTED_NAME_CHARS_MAX = 255;

    private static final int LISTED_SUMMARY_BYTES_MAX = 65_536;

    private final DSLContext lists;
    private final DSLContext details;
    private final DSLContext recent;
    private final ConversationDeletion deletion;

    public Conversations(DSLContext sql) {
        this.lists = Statements.named(sql, "conversation_list");
        this.details = Statements.named(sql, "conversation");
        this.recent = Statements.named(sql, "recent_messages");
        this.deletion = new ConversationDeletion(sql);
    }

    /**
     * A part of a list.
     *
     * @param places one for each conversation
     * @param isCut whether others follow
     * @param total of all pages; empty where it was not asked for
     * @param isTotalExact false if there are at least so many
     */
    public record Page(
            List<Conversation> conversations,
            List<ConversationPlace> places,
            boolean isCut,
            Optional<Integer> total,
            boolean isTotalExact) {}

    /**
     * Texts longer than {@link #LISTED_CHARS_MAX} are cut, metadata, system information and command left out.
     *
     * @param after null for a page that is found by its offset, and has the total
     */
    public Page list(
            ConversationFilter filter, ConversationOrder order, ConversationPlace after, int offset, int limit) {
        ConversationListing listing = new ConversationListing(filter, order);
        return ReadTransaction.of(lists, transaction -> {
            Table<?> places = listing.page(after, offset, limit + 1).asTable("places");
            List<ConversationPlace> found = new ArrayList<>();
            List<Conversation> bare = transaction.fetch(listed(places, order)).map(row -> {
                found.add(new ConversationPlace(
                        ConversationListing.toPlace(row.get("value")), row.get(CONVERSATIONS_WITH_TOTALS.ID)));
                return toConversation(row, List.of());
            });
            boolean isCut = bare.size() > limit;
            List<Conversation> page = bare.subList(0, Math.min(bare.size(), limit));
            Map<String, List<Participant>> participants = listedParticipants(
                    transaction, page.stream().map(Conversation::id).toList());
            int total = after == null ? transaction.fetchSingle(listing.total()).value1() : -1;
            return new Page(
                    page.stream()
                            .map(one -> one.with(participants.getOrDefault(one.id(), List.of())))
                            .toList(),
                    found.subList(0, page.size()),
                    isCut,
                    after == null ? Optional.of(total) : Optional.empty(),
                    !filter.asksForParticipants() || total < ConversationListing.COUNT_MAX);
        });
    }

    private static final ConversationsWithTotals C = CONVERSATIONS_WITH_TOTALS;

    /** What stands in places, with the rest of it. */
    static Select<?> listed(Table<?> places, ConversationOrder order) {
        Field<String> id = places.field("id", String.class);
        Field<?> value = places.field("value");
        List<Field<?>> fields = new ArrayList<>(List.of(
                value.as("value"),
                C.ID,
                left(C.NAME, LISTED_CHARS_MAX).as(C.NAME),
                C.MODE,
                C.STATUS,
                C.SOURCE,
                C.CREATED_AT,
                C.LAST_RECEIVED_AT,
                coalesce(C.STARTED_AT, C.FIRST_EVENT_AT).as(C.STARTED_AT),
                C.COMPLETED_AT,
                left(C.INITIAL_PROMPT, LISTED_CHARS_MAX).as(C.INITIAL_PROMPT),
                C.MAX_TURNS,
                C.TOTAL_MESSAGES,
                C.REPORTED_TURNS,
                C.TOTAL_TOKENS,
                C.TOTAL_COST,
                C.TOTAL_DURATION_MS,
                C.MESSAGE_COUNT,
                left(C.SUMMARY_SHORT_TEXT, LISTED_CHARS_MAX).as(C.SUMMARY_SHORT_TEXT),
                left(C.SUMMARY_TEXT, LISTED_CHARS_MAX).as(C.SUMMARY_TEXT),
                C.REPORTED_AT));
        fields.addAll(List.of(
                when(octetLength(C.SUMMARY.cast(String.class)).le(LISTED_SUMMARY_BYTES_MAX), C.SUMMARY)
                        .as(C.SUMMARY),
                left(C.ERROR_MESSAGE, LISTED_CHARS_MAX).as(C.ERROR_MESSAGE),
                left(C.ERROR_TYPE, LISTED_CHARS_MAX).as(C.ERROR_TYPE),
                C.ERROR_COUNT));
        return select(fields)
                .from(places)
                .join(C)
                .on(C.ID.eq(id))
                .orderBy(
                        order.isDescending() ? value.desc() : value.asc(), order.isDescending() ? id.desc() : id.asc());
    }

    private static Map<String, List<Participant>> listedParticipants(DSLContext transaction, Collection<String> ids) {
        return transaction.fetch(participantsOf(ids)).stream()
                .collect(Collectors.groupingBy(
                        row -> row.get(CONVERSATION_AGENTS.CONVERSATION_ID),
                        Collectors.mapping(
                                row -> new Participant(
                                        row.get(CONVERSATION_AGENTS.AGENT_ID),
                                        row.get(CONVERSATION_AGENTS.AGENT_TYPE),
                                        row.get(CONVERSATION_AGENTS.NAME),
                                        row.get(CONVERSATION_AGENTS.MODEL),
                                        null,
                                        null),
                                Collectors.toList())));
    }

    static Select<?> participantsOf(Collection<String> ids) {
        return select(
                        CONVERSATION_AGENTS.CONVERSATION_ID,
                        CONVERSATION_AGENTS.AGENT_ID,
                        CONVERSATION_AGENTS.AGENT_TYPE,
                        left(CONVERSATION_AGENTS.NAME, LISTED_NAME_CHARS_MAX).as(CONVERSATION_AGENTS.NAME),
                        left(CONVERSATION_AGENTS.MODEL, LISTED_NAME_CHARS_MAX).as(CONVERSATION_AGENTS.MODEL))
                .from(CONVERSATION_AGENTS)
                .where(CONVERSATION_AGENTS.CONVERSATION_ID.in(ids))
                .and(CONVERSATION_AGENTS.ORDINAL.lt(inline(LISTED_PARTICIPANTS_MAX)))
                .orderBy(CONVERSATION_AGENTS.CONVERSATION_ID, CONVERSATION_AGENTS.ORDINAL);
    }

    /**
     * A conversation with some of its messages.
     *
     * @param isCut whether messages follow
     */
    public record Detail(Conversation conversation, List<Message> messages, boolean isCut) {}

    /**
     * @param after null for the first messages
     * @param offset how many to pass over
     * @param countMax of messages; 0 for none
     * @param bytesMax of their contents, in UTF-8; at least one message
     */
    public Optional<Detail> find(String id, MessagePlace after, int offset, int countMax, long bytesMax) {
        return ReadTransaction.of(
                details,
                transaction -> conversation(transaction, id).map(conversation -> {
                    if (countMax == 0) {
                        return new Detail(conversation, List.of(), false);
                    }
                    ConversationMessages.Page page =
                            new ConversationMessages(transaction).page(id, after, offset, countMax, bytesMax);
                    return new Detail(conversation, page.messages(), page.isCut());
                }));
    }

    private static Optional<Conversation> conversation(DSLContext transaction, String id) {
        return transaction
                .select(C.fields())
                .select(coalesce(C.STARTED_AT, C.FIRST_EVENT_AT).as("began_at"))
                .from(C)
                .where(C.ID.eq(id))
                .fetchOptional(row -> {
                    row.set(C.STARTED_AT, row.get("began_at", OffsetDateTime.class));
                    return toConversation(row, participants(transaction, id));
                });
    }

    private static List<Participant> participants(DSLContext transaction, String id) {
        return transaction
                .selectFrom(CONVERSATION_AGENTS)
                .where(CONVERSATION_AGENTS.CONVERSATION_ID.eq(id))
                .orderBy(CONVERSATION_AGENTS.ORDINAL)
                .fetch(row -> new Participant(
                        row.getAgentId(),
                        row.getAgentType(),
                        row.getName(),
                        row.getModel(),
                        row.getPrompt(),
                        row.getCliVersion()));
    }

    /** A message, and of its conversation what is shown beside it. */
    public record RecentMessage(Message message, Conversation conversation) {}

    /**
     * The newest messages of conversations with a status, newest first.
     *
     * @param bytesMax of their contents, in UTF-8; at least one message
     */
    public List<RecentMessage> recent(String status, int limit, long bytesMax) {
        return ReadTransaction.of(recent, transaction -> {
            List<Message> messages = new ConversationMessages(transaction).recent(status, limit, bytesMax);
            List<String> ids =
                    messages.stream().map(Message::conversationId).distinct().toList();
            Table<?> places = select(CONVERSATIONS.ID.as("id"), CONVERSATIONS.CREATED_AT.as("value"))
                    .from(CONVERSATIONS)
                    .where(CONVERSATIONS.ID.in(ids))
                    .asTable("places");
            ConversationOrder any = new ConversationOrder(ConversationOrder.By.CREATED_AT, true);
            Map<String, Conversation> conversations = transaction.fetch(listed(places, any)).stream()
                    .map(row -> toConversation(row, List.of()))
                    .collect(Collectors.toMap(Conversation::id, Function.identity()));
            return messages.stream()
                    .filter(message -> conversations.containsKey(message.conversationId()))
                    .map(message -> new RecentMessage(message, conversations.get(message.conversationId())))
                    .toList();
        });
    }

    /**
     * Deletes a conversation: what it was, its messages, its participants, the payloads of its events. Readers miss it at
     * once; when this returns, nothing of it is left. What was begun and not finished is finished by {@link
     * #finishDeletions}.
     *
     * @return the position of the event that tells of it; empty if there is no such conversation
     */
    public Optional<Long> delete(String id) {
        return deletion.delete(id);
    }

    /** Goes on with what a killed server has left of deletions. By one thread at a time. */
    public void finishDeletions() {
        deletion.finish();
    }

    private static Conversation toConversation(Record row, List<Participant> participants) {
        return new Conversation(
                row.get(C.ID),
                row.get(C.NAME),
                row.get(C.MODE),
                row.get(C.STATUS),
                row.get(C.SOURCE),
                instant(row.get(C.CREATED_AT)),
                instant(row.get(C.LAST_RECEIVED_AT)),
                instant(row.get(C.STARTED_AT)),
                instant(row.get(C.COMPLETED_AT)),
                row.get(C.INITIAL_PROMPT),
                row.get(C.MAX_TURNS),
                row.get(C.TOTAL_MESSAGES),
                row.get(C.REPORTED_TURNS),
                row.get(C.TOTAL_TOKENS),
                row.get(C.TOTAL_COST),
                row.get(C.TOTAL_DURATION_MS),
                row.get(C.MESSAGE_COUNT),
                row.get(C.SUMMARY_SHORT_TEXT),
                row.get(C.SUMMARY_TEXT),
                row.get(C.SUMMARY) == null ? null : instant(row.get(C.REPORTED_AT)),
                text(row.get(C.SUMMARY)),
                row.get(C.ERROR_MESSAGE),
                row.get(C.ERROR_TYPE),
                row.get(C.ERROR_COUNT),
                text(optional(row, C.SYSTEM_INFO)),
                text(optional(row, C.METADATA)),
                text(optional(row, C.COMMAND)),
                participants);
    }

    /** What a list leaves out. */
    private static JSON optional(Record row, Field<JSON> field) {
        return row.field(field) == null ? null : row.get(field);
    }

    private static String text(JSON json) {
        return json == null ? null : json.data();
    }

    private static Instant instant(OffsetDateTime time) {
        return time == null ? null : time.toInstant();
    }
}
