package dev.agentpipe.db.export;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static dev.agentpipe.db.generated.Tables.DELETIONS;
import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.EVENT_LOG;
import static dev.agentpipe.db.generated.Tables.MESSAGES;
import static org.jooq.impl.DSL.any;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.octetLength;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.sum;

import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.export.Transcript.Message;
import dev.agentpipe.db.export.Transcript.RetainedEvent;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.ResultQuery;
import org.jooq.Table;
import org.jooq.impl.DSL;

/**
 * Reads a conversation from its beginning to its end in pieces, as it was at one moment: by sequence number, then time,
 * then position.
 *
 * <p>No index has that order, since each message would pay for it. So the order is read first, for many messages at once, as
 * their positions and sizes, and the messages then by their positions. What was there at that moment is still the same
 * later, or gone altogether with its conversation.
 *
 * <p>Thread-safe. All methods block.
 */
public final class Transcripts {

    /** Messages whose order is read at once: 1.2 MB. */
    static final int ORDERED_MAX = 100_000;

    private static final int ORDER_ENTRY_BYTES = Long.BYTES + Integer.BYTES;

    private static final int EVENTS_MAX = 64;

    /** Those without a number come last. */
    private static final Field<Long> SEQUENCE = coalesce(MESSAGES.SEQUENCE_NUMBER, inline(Long.MAX_VALUE));

    /** The row's own version, and the last event, for there are events that do not touch the row. */
    private static final Field<String> VERSION = field(
                    "{0}.xmin || '-' || ({1})",
                    String.class,
                    CONVERSATIONS,
                    select(coalesce(max(EVENTS.POSITION), inline(0L)))
                            .from(EVENTS)
                            .where(EVENTS.CONVERSATION_ID.eq(CONVERSATIONS.ID)))
            .as("version");

    private static final Field<Long> HEAD = Expressions.LOG_HEAD.as("head");

    /** All but what is private. */
    private static final List<Field<?>> COLUMNS = Arrays.stream(CONVERSATIONS.fields())
            .filter(column -> !column.equals(CONVERSATIONS.COMMAND))
            .toList();

    private final DSLContext sql;
    private final int orderedMax;

    /**
     * The next messages, in order: their positions, and the bytes of their contents.
     *
     * @param isLast whether nothing follows them
     */
    public record Order(long[] positions, int[] contentBytes, boolean isLast) {}

    public Transcripts(DSLContext sql) {
        this(sql, ORDERED_MAX);
    }

    Transcripts(DSLContext sql, int orderedMax) {
        this.sql = Statements.named(sql, "export");
        this.orderedMax = orderedMax;
    }

    /** Empty if there is no such conversation. */
    public Optional<Transcript> open(String conversationId) {
        return translated(() -> sql.transactionResult(configuration -> {
            DSLContext snapshot = DSL.using(configuration);
            snapshot.execute("set transaction isolation level repeatable read, read only");
            return open(snapshot, conversationId);
        }));
    }

    private static Optional<Transcript> open(DSLContext snapshot, String id) {
        Record row = snapshot.select(COLUMNS)
                .select(VERSION, HEAD)
                .from(CONVERSATIONS)
                .where(CONVERSATIONS.ID.eq(id))
                .fetchOne();
        if (row == null) {
            return Optional.empty();
        }
        long after = snapshot.select(coalesce(max(DELETIONS.POSITION), inline(0L)))
                .from(DELETIONS)
                .where(DELETIONS.CONVERSATION_ID.eq(id))
                .fetchSingle()
                .value1();
        long messageCount = snapshot.selectCount()
                .from(MESSAGES)
                .where(MESSAGES.CONVERSATION_ID.eq(id))
                .and(MESSAGES.POSITION.gt(after))
                .fetchSingle()
                .value1();
        List<Participant> participants = snapshot.selectFrom(CONVERSATION_AGENTS)
                .where(CONVERSATION_AGENTS.CONVERSATION_ID.eq(id))
                .orderBy(CONVERSATION_AGENTS.ORDINAL)
                .fetch(agent -> new Participant(
                        agent.getAgentId(),
                        agent.getAgentType(),
                        agent.getName(),
                        agent.getModel(),
                        agent.getPrompt(),
                        agent.getCliVersion()));
        String start = snapshot.select(EVENTS.PAYLOAD)
                .from(EVENTS)
                .join(EVENT_LOG)
                .on(EVENTS.POSITION.gt(EVENT_LOG.FLOOR))
                .where(EVENTS.CONVERSATION_ID.eq(id))
                .and(EVENTS.POSITION.gt(after))
                .and(EVENTS.TYPE.eq(EventType.CONVERSATION_STARTED.wireName()))
                .limit(1)
                .fetchOne(EVENTS.PAYLOAD);
        return Optional.of(new Transcript(
                after,
                row.get(HEAD),
                row.get(VERSION),
                messageCount,
                TranscriptRows.conversation(row.into(CONVERSATIONS)),
                participants,
                start));
    }

    /** @param last the message after which to go on; null for the first ones */
    public Order order(Transcript transcript, Message last) {
        byte[] entries =
                translated(() -> orderAfter(transcript, last).fetchSingle().get(0, byte[].class));
        ByteBuffer buffer = ByteBuffer.wrap(entries == null ? new byte[0] : entries);
        int count = buffer.remaining() / ORDER_ENTRY_BYTES;
        long[] positions = new long[count];
        int[] contentBytes = new int[count];
        for (int i = 0; i < count; i++) {
            positions[i] = buffer.getLong();
            contentBytes[i] = buffer.getInt();
        }
        return new Order(positions, contentBytes, count < orderedMax);
    }

    /** As one value: as rows, pgjdbc and jOOQ would make several objects of each. */
    ResultQuery<? extends Record> orderAfter(Transcript transcript, Message last) {
        Condition following = last == null
                ? noCondition()
                : row(SEQUENCE, MESSAGES.CREATED_AT, MESSAGES.POSITION)
                        .gt(
                                last.sequenceNumber() == null ? Long.MAX_VALUE : last.sequenceNumber(),
                                last.at().atOffset(ZoneOffset.UTC),
                                last.position());
        Field<Long> sequence = SEQUENCE.as("sequence");
        Field<byte[]> entry = field(
                        "int8send({0}) || int4send(octet_length({1}))",
                        byte[].class, MESSAGES.POSITION, MESSAGES.CONTENT)
                .as("entry");
        Table<?> next = sql.select(entry, sequence, MESSAGES.CREATED_AT, MESSAGES.POSITION)
                .from(MESSAGES)
                .where(MESSAGES.CONVERSATION_ID.eq(transcript.id()))
                .and(MESSAGES.POSITION.gt(transcript.after()))
                .and(MESSAGES.POSITION.le(transcript.upTo()))
                .and(following)
                .orderBy(SEQUENCE, MESSAGES.CREATED_AT, MESSAGES.POSITION)
                .limit(orderedMax)
                .asTable("next");
        return sql.select(field(
                        "string_agg({0}, ''::bytea order by {1}, {2}, {3})",
                        byte[].class,
                        next.field(entry),
                        next.field(sequence),
                        next.field(MESSAGES.CREATED_AT),
                        next.field(MESSAGES.POSITION)))
                .from(next);
    }

    /** The messages at these positions, in their order; fewer if some are gone. */
    public List<Message> messages(Transcript transcript, long[] positions) {
        Long[] wanted = Arrays.stream(positions).boxed().toArray(Long[]::new);
        Map<Long, Message> found = new HashMap<>();
        translated(() -> sql.selectFrom(MESSAGES)
                        .where(MESSAGES.CONVERSATION_ID.eq(transcript.id()))
                        .and(MESSAGES.POSITION.eq(any(wanted)))
                        .fetch(TranscriptRows::message))
                .forEach(message -> found.put(message.position(), message));
        return Arrays.stream(wanted)
                .map(found::get)
                .filter(message -> message != null)
                .toList();
    }

    /**
     * The next events that the log retains but messages, starts, and the server's own, in the order of the log: some, until
     * so many bytes are reached; empty at the end.
     */
    public List<RetainedEvent> events(Transcript transcript, long after, int bytesMax) {
        Field<BigDecimal> bytesBefore =
                sum(octetLength(EVENTS.PAYLOAD)).over().orderBy(EVENTS.POSITION).minus(octetLength(EVENTS.PAYLOAD));
        // Pairs, so that the index by conversation is the only one that answers (see MatchingRecords).
        Table<?> next = sql.select(
                        EVENTS.POSITION, EVENTS.TYPE, EVENTS.EVENT_AT, EVENTS.PAYLOAD, EVENTS.CONVERSATION_ID)
                .from(EVENTS)
                .where(row(EVENTS.CONVERSATION_ID, EVENTS.POSITION)
                        .gt(transcript.id(), Math.max(after, transcript.after())))
                .and(row(EVENTS.CONVERSATION_ID, EVENTS.POSITION).le(transcript.id(), transcript.upTo()))
                .and(EVENTS.POSITION.gt(select(EVENT_LOG.FLOOR).from(EVENT_LOG)))
                .and(EVENTS.TYPE.notIn(Stream.of(
                                EventType.MESSAGE_CREATED,
                                EventType.CONVERSATION_STARTED,
                                EventType.SESSION_UPLOADED,
                                EventType.CONVERSATION_DELETED)
                        .map(type -> inline(type.wireName()))
                        .toList()))
                .orderBy(EVENTS.CONVERSATION_ID, EVENTS.POSITION)
                .limit(EVENTS_MAX)
                .asTable(EVENTS.getName());
        Field<BigDecimal> before = bytesBefore.as("bytes_before");
        Table<?> sized = sql.select(EVENTS.POSITION, EVENTS.TYPE, EVENTS.EVENT_AT, EVENTS.PAYLOAD, before)
                .from(next)
                .asTable("sized");
        return translated(() -> sql.select(sized.fields())
                .from(sized)
                .where(sized.field(before).lt(BigDecimal.valueOf(bytesMax)))
                .orderBy(sized.field(EVENTS.POSITION))
                .fetch(event -> new RetainedEvent(
                        event.get(0, Long.class),
                        event.get(1, String.class),
                        TranscriptRows.instant(event.get(2, OffsetDateTime.class)),
                        event.get(3, String.class))));
    }

    private static <T> T translated(Supplier<T> query) {
        try {
            return query.get();
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }
}
