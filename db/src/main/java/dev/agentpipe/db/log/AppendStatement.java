package dev.agentpipe.db.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.Appended;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * The append: one statement, one round trip, one transaction for the whole batch. What it does stands in the schema, with
 * its reasons: the function {@code append_events} in {@code V001__log_and_projections.sql}. Here the events become its
 * arguments, and its result their results.
 *
 * <p>Raw JDBC rather than jOOQ: pgjdbc sends arrays of text, bigint and bytea in binary, jOOQ as one literal each, at half
 * the throughput. Costs travel as text and times as microseconds, since pgjdbc has no binary arrays of those.
 *
 * <p>Measured on 2 cores with fsync, server and PostgreSQL together: 0.55 ms for one message, 10 ms for 256 (22,000 to
 * 28,000 messages a second). One long statement with a {@code with} for each table takes as long if its plan is reused,
 * and twice as long for one message if not: behind a pooler, or when PostgreSQL prefers to plan anew.
 */
public final class AppendStatement {

    private static final String SQL = """
            select head_before, head, known from append_events(
                identities => ?, types => ?, conversation_ids => ?, at_micros => ?, status_orders => ?, payloads => ?,
                message_ids => ?, agent_ids => ?, agent_types => ?, agent_names => ?, roles => ?, contents => ?,
                models => ?, sequence_numbers => ?, turn_numbers => ?, tokens_used => ?, input_tokens => ?,
                output_tokens => ?, costs => ?, durations_ms => ?, rare => ?::json)
            """;

    /** Needs the lock that appends take: a PostgreSQL that can only be read refuses it. */
    private static final String EMPTY_SQL = "select log_head() from event_log for update";

    /** What {@code known} holds for a message that was stored before with another conversation or content. */
    private static final long CONFLICT = 0;

    private final Connection connection;
    private final PreparedStatement statement;
    private final List<Event> events;
    private int parameter;

    private AppendStatement(Connection connection, PreparedStatement statement, List<Event> events) {
        this.connection = connection;
        this.statement = statement;
        this.events = events;
    }

    /** Appends in the connection's transaction, or in one of its own if the connection commits by itself. */
    public static Appended execute(Connection connection, List<Event> events) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SQL)) {
            AppendStatement append = new AppendStatement(connection, statement, events);
            append.bind();
            return append.execute();
        }
    }

    /** Appends nothing, as far as an append goes without. */
    static Appended executeEmpty(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(EMPTY_SQL);
                ResultSet row = statement.executeQuery()) {
            row.next();
            long head = row.getLong(1);
            return new Appended(head, head, List.of());
        }
    }

    private void bind() throws SQLException {
        bindEnvelopes("bytea", byte[][]::new, Envelope::identity);
        bindEnvelopes("text", String[]::new, envelope -> envelope.type().wireName());
        bindEnvelopes("text", String[]::new, Envelope::conversationId);
        bindEnvelopes("int8", Long[]::new, Envelope::atMicros);
        bind("int8", Long[]::new, StatusOrder::of);
        bindEnvelopes("text", String[]::new, AppendStatement::payload);
        bindMessages("text", String[]::new, MessageCreated::messageId);
        bindMessages("text", String[]::new, MessageCreated::agentId);
        bindMessages("text", String[]::new, MessageCreated::agentType);
        bindMessages("text", String[]::new, MessageCreated::agentName);
        bindMessages("text", String[]::new, MessageCreated::role);
        bindMessages("text", String[]::new, MessageCreated::content);
        bindMessages("text", String[]::new, MessageCreated::model);
        bindMessages("int8", Long[]::new, MessageCreated::sequenceNumber);
        bindMessages("int8", Long[]::new, MessageCreated::turnNumber);
        bindMessages("int8", Long[]::new, MessageCreated::tokensUsed);
        bindMessages("int8", Long[]::new, MessageCreated::inputTokens);
        bindMessages("int8", Long[]::new, MessageCreated::outputTokens);
        bindMessages(
                "text",
                String[]::new,
                message -> message.cost() == null ? null : message.cost().toString());
        bindMessages("int8", Long[]::new, MessageCreated::durationMs);
        statement.setString(++parameter, RareEvents.toJson(events));
    }

    private static String payload(Envelope envelope) {
        return envelope.payload() == null ? null : new String(envelope.payload(), StandardCharsets.UTF_8);
    }

    private <T> void bindEnvelopes(String type, IntFunction<T[]> array, Function<Envelope, T> value)
            throws SQLException {
        bind(type, array, event -> value.apply(event.envelope()));
    }

    private <T> void bindMessages(String type, IntFunction<T[]> array, Function<MessageCreated, T> value)
            throws SQLException {
        bind(type, array, event -> event instanceof MessageCreated message ? value.apply(message) : null);
    }

    private <T> void bind(String type, IntFunction<T[]> array, Function<Event, T> value) throws SQLException {
        T[] values = array.apply(events.size());
        for (int i = 0; i < values.length; i++) {
            values[i] = value.apply(events.get(i));
        }
        statement.setArray(++parameter, connection.createArrayOf(type, values));
    }

    private Appended execute() throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            row.next();
            long headBefore = row.getLong(1);
            long head = row.getLong(2);
            Array known = row.getArray(3);
            return new Appended(
                    headBefore, head, results(headBefore, known == null ? null : (Long[]) known.getArray()));
        }
    }

    private List<AppendResult> results(long headBefore, Long[] known) {
        List<AppendResult> results = new ArrayList<>(events.size());
        for (int i = 0; i < events.size(); i++) {
            long position = headBefore + i + 1;
            if (known == null || known[i] == position) {
                results.add(new AppendResult.Stored(position));
            } else if (known[i] == CONFLICT) {
                results.add(new AppendResult.Conflict());
            } else {
                results.add(new AppendResult.Duplicate(known[i]));
            }
        }
        return results;
    }
}
