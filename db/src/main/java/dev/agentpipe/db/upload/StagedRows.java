package dev.agentpipe.db.upload;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.db.log.AppendStatement;
import dev.agentpipe.db.upload.UploadTransaction.Repeat;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * The SQL of an upload: raw JDBC with arrays, for the reasons of {@link AppendStatement}. One thread.
 */
final class StagedRows {

    /**
     * In force until the transaction ends. The lock is waited for like a statement of others; a server that vanishes with
     * the lock in its hands does not keep it.
     */
    private static final String LOCK_SQL = """
            select set_config('lock_timeout', '10s', true), set_config('jit', 'off', true),
                set_config('idle_in_transaction_session_timeout', '10s', true);
            select from event_log for update
            """;

    /**
     * The planner knows neither what this transaction has written nor how long an array is, so it is told: rows are found
     * by their keys, but where two sets of thousands meet.
     */
    private static final String BY_KEYS_SQL = """
            select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
                set_config('enable_mergejoin', 'off', true), set_config('enable_nestloop', 'on', true)
            """;

    private static final String BY_HASH_SQL = "select set_config('enable_nestloop', 'off', true)";

    private static final String STAGE_EVENTS_SQL = """
            insert into events (position, type, conversation_id, event_at, payload)
            select position, type, conversation_id, from_epoch_micros(at_micros), payload
            from unnest(?, ?, ?, ?, ?) as input (position, type, conversation_id, at_micros, payload)
            """;

    private static final String STAGE_MESSAGES_SQL = """
            insert into messages (conversation_id, position, created_at, message_id, agent_id, agent_type, agent_name, role,
                content, model, sequence_number, turn_number, tokens_used, input_tokens, output_tokens, cost, duration_ms)
            select conversation_id, position, from_epoch_micros(at_micros), message_id, agent_id, agent_type, agent_name,
                role, content, model, sequence_number, turn_number, tokens_used, input_tokens, output_tokens,
                cost::numeric, duration_ms
            from unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) as input (conversation_id, position, at_micros,
                message_id, agent_id, agent_type, agent_name, role, content, model, sequence_number, turn_number,
                tokens_used, input_tokens, output_tokens, cost, duration_ms)
            """;

    private static final String KNOWN_SQL = "select identity, position from event_identities where identity = any (?)";

    /** As in append_events. The content is given, or that of a staged message. */
    private static final String CONFLICTS_SQL = """
            select ordinal from unnest(?, ?, ?, ?) with ordinality
                as input (earlier, staged, conversation_id, content, ordinal)
            where exists (select from events as e where e.position = input.earlier
                    and e.conversation_id is distinct from input.conversation_id)
                or exists (select from messages as m where m.conversation_id = input.conversation_id
                    and m.position = input.earlier and not same_content(m.content, coalesce(input.content,
                        (select s.content from messages as s
                            where s.conversation_id = input.conversation_id and s.position = input.staged))))
            order by ordinal
            """;

    /** A function, so it is compared last, and only where the rest is alike. */
    private static final String HEARD_SQL = """
            select s.position from messages as s, messages as m
            where s.conversation_id = ? and s.position = any (?)
                and m.conversation_id = s.conversation_id and m.position > 0
                and m.created_at = s.created_at and m.agent_type = s.agent_type
                and same_content(m.content, s.content)
            """;

    private static final String MOVE_EVENTS_SQL = """
            update events as e set position = given.position from unnest(?, ?) as given (staged, position)
            where e.position = given.staged
            """;

    private static final String MOVE_MESSAGES_SQL = """
            update messages as m set position = given.position
            from unnest(?, ?, ?) as given (conversation_id, staged, position)
            where m.conversation_id = given.conversation_id and m.position = given.staged
            """;

    private static final String DELETE_EVENTS_SQL = "delete from events where position = any (?)";

    private static final String DELETE_MESSAGES_SQL = """
            delete from messages as m using unnest(?, ?) as gone (conversation_id, position)
            where m.conversation_id = gone.conversation_id and m.position = gone.position
            """;

    private final Connection connection;

    StagedRows(Connection connection) {
        this.connection = connection;
    }

    long transactionId() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select pg_current_xact_id()::text::bigint")) {
            row.next();
            return row.getLong(1);
        }
    }

    void lock() throws SQLException {
        execute(LOCK_SQL);
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    void known(byte[][] identities, BiConsumer<byte[], Long> found) throws SQLException {
        try (ArrayCall call = new ArrayCall(connection, KNOWN_SQL)) {
            call.bind("bytea", identities);
            try (ResultSet rows = call.query()) {
                while (rows.next()) {
                    found.accept(rows.getBytes(1), rows.getLong(2));
                }
            }
        }
    }

    /** Writes these at positions of their own: events that have a payload, and messages. */
    void stage(List<Event> events, List<Long> positions) throws SQLException {
        List<Event> logged = new ArrayList<>();
        List<Long> loggedAt = new ArrayList<>();
        List<MessageCreated> messages = new ArrayList<>();
        List<Long> messagesAt = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).envelope().payload() != null) {
                logged.add(events.get(i));
                loggedAt.add(positions.get(i));
            }
            if (events.get(i) instanceof MessageCreated message) {
                messages.add(message);
                messagesAt.add(positions.get(i));
            }
        }
        if (!logged.isEmpty()) {
            stageEvents(logged, loggedAt);
        }
        if (!messages.isEmpty()) {
            stageMessages(messages, messagesAt);
        }
    }

    private void stageEvents(List<Event> events, List<Long> positions) throws SQLException {
        try (ArrayCall call = new ArrayCall(connection, STAGE_EVENTS_SQL)) {
            call.longs(positions, Function.identity());
            call.texts(events, event -> event.envelope().type().wireName());
            call.texts(events, event -> event.envelope().conversationId());
            call.longs(events, event -> event.envelope().atMicros());
            call.texts(events, event -> new String(event.envelope().payload(), StandardCharsets.UTF_8));
            call.update();
        }
    }

    private void stageMessages(List<MessageCreated> messages, List<Long> positions) throws SQLException {
        try (ArrayCall call = new ArrayCall(connection, STAGE_MESSAGES_SQL)) {
            call.texts(messages, message -> message.envelope().conversationId());
            call.longs(positions, Function.identity());
            call.longs(messages, message -> message.envelope().atMicros());
            call.texts(messages, MessageCreated::messageId);
            call.texts(messages, MessageCreated::agentId);
            call.texts(messages, MessageCreated::agentType);
            call.texts(messages, MessageCreated::agentName);
            call.texts(messages, MessageCreated::role);
            call.texts(messages, MessageCreated::content);
            call.texts(messages, MessageCreated::model);
            call.longs(messages, MessageCreated::sequenceNumber);
            call.longs(messages, MessageCreated::turnNumber);
            call.longs(messages, MessageCreated::tokensUsed);
            call.longs(messages, MessageCreated::inputTokens);
            call.longs(messages, MessageCreated::outputTokens);
            call.texts(messages, message -> text(message.cost()));
            call.longs(messages, MessageCreated::durationMs);
            call.update();
        }
    }

    private static String text(BigDecimal number) {
        return number == null ? null : number.toString();
    }

    /** Which of these messages are not the ones that were stored before, by their indexes. */
    List<Integer> conflicts(List<Repeat> repeats) throws SQLException {
        List<Integer> indexes = new ArrayList<>();
        try (ArrayCall call = new ArrayCall(connection, CONFLICTS_SQL)) {
            call.longs(repeats, Repeat::earlier);
            call.longs(repeats, Repeat::staged);
            call.texts(repeats, Repeat::conversationId);
            call.texts(repeats, Repeat::content);
            try (ResultSet rows = call.query()) {
                while (rows.next()) {
                    indexes.add(rows.getInt(1) - 1);
                }
            }
        }
        return indexes;
    }

    /** Those of these staged messages that the conversation has already. */
    Set<Long> heardBefore(String conversationId, List<Long> positions) throws SQLException {
        Set<Long> heard = new HashSet<>();
        execute(BY_HASH_SQL);
        try (ArrayCall call = new ArrayCall(connection, HEARD_SQL)) {
            call.text(conversationId);
            call.longs(positions, Function.identity());
            try (ResultSet rows = call.query()) {
                while (rows.next()) {
                    heard.add(rows.getLong(1));
                }
            }
        }
        execute(BY_KEYS_SQL);
        return heard;
    }

    void delete(List<Event> events, List<Long> positions) throws SQLException {
        try (ArrayCall call = new ArrayCall(connection, DELETE_EVENTS_SQL)) {
            call.longs(positions, Function.identity());
            call.update();
        }
        try (ArrayCall call = new ArrayCall(connection, DELETE_MESSAGES_SQL)) {
            call.texts(events, event -> event.envelope().conversationId());
            call.longs(positions, Function.identity());
            call.update();
        }
    }

    /** Gives staged rows their positions. */
    void move(List<Event> events, List<Long> from, List<Long> to, boolean logged) throws SQLException {
        execute(BY_KEYS_SQL);
        if (logged) {
            try (ArrayCall call = new ArrayCall(connection, MOVE_EVENTS_SQL)) {
                call.longs(from, Function.identity());
                call.longs(to, Function.identity());
                call.update();
            }
        }
        try (ArrayCall call = new ArrayCall(connection, MOVE_MESSAGES_SQL)) {
            call.texts(events, event -> event.envelope().conversationId());
            call.longs(from, Function.identity());
            call.longs(to, Function.identity());
            call.update();
        }
    }

    List<String> conversations(Collection<String> ids) throws SQLException {
        List<String> known = new ArrayList<>();
        try (ArrayCall call = new ArrayCall(connection, "select id from conversations where id = any (?)")) {
            call.texts(List.copyOf(ids), Function.identity());
            try (ResultSet rows = call.query()) {
                while (rows.next()) {
                    known.add(rows.getString(1));
                }
            }
        }
        return known;
    }

    void markUploaded(Collection<String> ids) throws SQLException {
        try (ArrayCall call =
                new ArrayCall(connection, "update conversations set source = 'cli-upload' where id = any (?)")) {
            call.texts(List.copyOf(ids), Function.identity());
            call.update();
        }
    }

    int participants(Collection<String> ids) throws SQLException {
        try (ArrayCall call =
                new ArrayCall(connection, "select count(*) from conversation_agents where conversation_id = any (?)")) {
            call.texts(List.copyOf(ids), Function.identity());
            try (ResultSet row = call.query()) {
                row.next();
                return row.getInt(1);
            }
        }
    }
}
