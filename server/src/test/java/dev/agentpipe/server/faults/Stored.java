package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a database holds, to be compared with what was acknowledged and what was read. */
record Stored(Map<Long, String> conversations, Map<String, Long> messages) {

    /** @param conversations by position; {@code messages}: positions by message id */
    Stored {
        assertEquals(conversations.size(), messages.size(), "messages and events");
    }

    /** Reads it, and checks that log, projections and totals agree. */
    static Stored read(Connection connection) throws SQLException {
        Map<Long, String> conversations = new LinkedHashMap<>();
        Map<String, Long> messages = new LinkedHashMap<>();
        try (connection;
                Statement statement = connection.createStatement()) {
            try (ResultSet rows = statement.executeQuery(
                    "select m.position, m.message_id, e.conversation_id from messages m join events e using (position)"
                            + " order by m.position")) {
                while (rows.next()) {
                    conversations.put(rows.getLong(1), rows.getString(3));
                    assertEquals(null, messages.put(rows.getString(2), rows.getLong(1)), "a message is there twice");
                }
            }
            assertEquals(messages.size(), number(statement, "select count(*) from events"));
            assertEquals(messages.size(), number(statement, "select count(*) from event_identities"));
            assertEquals(messages.size(), number(statement, "select count(*) from messages"));
            assertEquals(messages.size(), number(statement, "select sum(message_count) from conversations"));
        }
        return new Stored(conversations, messages);
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    /** In order. */
    List<Long> positions() {
        return new ArrayList<>(conversations.keySet());
    }

    List<Long> positions(String conversation) {
        return conversations.entrySet().stream()
                .filter(one -> one.getValue().equals(conversation))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Everything that was acknowledged is there, where the answers say, and nothing else is. */
    void assertIs(Load load) {
        assertEquals(new HashSet<>(load.acknowledged().keySet()), new HashSet<>(messages.keySet()));
        load.positions().forEach((id, position) -> assertEquals(position, messages.get(id), id));
    }
}
