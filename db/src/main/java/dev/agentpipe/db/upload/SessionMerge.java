package dev.agentpipe.db.upload;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Session;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a session adds to its conversation besides messages. It completes what is there and replaces nothing: the first name
 * and metadata stay, and so do the participants that a live start announced; those that it lacks are added. Made and
 * applied under the lock of the appends.
 */
final class SessionMerge {

    private static final String APPLY_SQL = """
            update conversations set
                name = coalesce(name, ?),
                metadata = coalesce(metadata, ?::json),
                source = case when ? then ? else source end,
                created_at = case when ? then coalesce(from_epoch_micros(?), created_at) else created_at end,
                completed_at = case when ? and completed_at is not null
                    then coalesce(from_epoch_micros(?), completed_at) else completed_at end
            where id = ?
            """;

    private final Connection connection;
    private final Session session;

    private final boolean newConversation;
    private final boolean changesRow;
    private final boolean startIsNew;
    private final List<Event> newEnd = new ArrayList<>();
    private final List<Participant> newParticipants = new ArrayList<>();
    private int nextOrdinal;

    SessionMerge(Connection connection, Session session) throws SQLException {
        this.connection = connection;
        this.session = session;
        this.startIsNew = isNew(session.start());
        for (Event event : session.end()) {
            if (isNew(event)) {
                newEnd.add(event);
            }
        }
        try (PreparedStatement select =
                connection.prepareStatement("select name is null, metadata is null from conversations where id = ?")) {
            select.setString(1, session.conversationId());
            try (ResultSet row = select.executeQuery()) {
                newConversation = !row.next();
                changesRow = newConversation
                        || (row.getBoolean(1) && session.name() != null)
                        || (row.getBoolean(2) && session.metadata() != null);
            }
        }
        findParticipants();
    }

    private boolean isNew(Event event) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select from event_identities where identity = ?")) {
            select.setBytes(1, event.envelope().identity());
            try (ResultSet row = select.executeQuery()) {
                return !row.next();
            }
        }
    }

    private void findParticipants() throws SQLException {
        List<Participant> known = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement(
                "select ordinal, agent_id, agent_type, name from conversation_agents where conversation_id = ?")) {
            select.setString(1, session.conversationId());
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    nextOrdinal = Math.max(nextOrdinal, rows.getInt(1) + 1);
                    known.add(
                            new Participant(rows.getString(2), rows.getString(3), rows.getString(4), null, null, null));
                }
            }
        }
        for (Participant participant : session.start().participants()) {
            if (known.stream().noneMatch(one -> isSame(one, participant))) {
                newParticipants.add(participant);
            }
        }
    }

    /** A session's agent often has no id of its own. */
    private static boolean isSame(Participant one, Participant other) {
        return Objects.equals(one.agentId(), other.agentId())
                || (Objects.equals(one.agentType(), other.agentType()) && Objects.equals(one.name(), other.name()));
    }

    /**
     * Whether nothing changes. Where the conversation is gone, since somebody has deleted it, what is known of its events
     * does not bring it back.
     *
     * @param messages new ones
     */
    boolean isEmpty(int messages) {
        boolean eventless = messages == 0 && !startIsNew && newEnd.isEmpty();
        return eventless && (newConversation || (newParticipants.isEmpty() && !changesRow));
    }

    int participants() {
        return newParticipants.size();
    }

    List<Event> newStart() {
        return startIsNew ? List.of(session.start()) : List.of();
    }

    List<Event> newEndAnd(Event last) {
        List<Event> events = new ArrayList<>(newEnd);
        events.add(last);
        return events;
    }

    /** To be called when the events were appended: a new start has brought its participants with it. */
    void apply() throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(APPLY_SQL)) {
            update.setString(1, session.name());
            update.setString(2, session.metadata());
            update.setBoolean(3, newConversation);
            update.setString(4, session.source());
            update.setBoolean(5, newConversation);
            update.setObject(6, session.createdAtMicros(), java.sql.Types.BIGINT);
            update.setBoolean(7, newConversation);
            update.setObject(8, session.completedAtMicros(), java.sql.Types.BIGINT);
            update.setString(9, session.conversationId());
            update.executeUpdate();
        }
        if (!startIsNew && !newParticipants.isEmpty()) {
            addParticipants();
        }
    }

    private void addParticipants() throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into conversation_agents (conversation_id, ordinal, agent_id, agent_type, name, model, prompt,"
                        + " cli_version) values (?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (Participant participant : newParticipants) {
                insert.setString(1, session.conversationId());
                insert.setInt(2, nextOrdinal++);
                insert.setString(3, participant.agentId());
                insert.setString(4, participant.agentType());
                insert.setString(5, participant.name());
                insert.setString(6, participant.model());
                insert.setString(7, participant.prompt());
                insert.setString(8, participant.cliVersion());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }
}
