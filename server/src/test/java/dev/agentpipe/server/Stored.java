package dev.agentpipe.server;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a server has stored, read past it. */
public final class Stored implements AutoCloseable {

    private static final List<String> TABLES =
            List.of("event_log", "event_identities", "events", "conversations", "messages", "conversation_agents");

    /** Keeps all digits. */
    private static final JsonMapper EXACT = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private final Connection connection;

    public Stored(TestServer server) {
        try {
            connection = server.connect();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Rows as JSON objects, numbers with all their digits. */
    public List<JsonNode> rows(String table, String condition, Object... parameters) {
        List<JsonNode> rows = new ArrayList<>();
        for (String json : texts("select to_json(t)::text from " + table + " t where " + condition, parameters)) {
            rows.add(EXACT.readTree(json));
        }
        return rows;
    }

    /** The one row that meets the condition. */
    public JsonNode row(String table, String condition, Object... parameters) {
        List<JsonNode> rows = rows(table, condition, parameters);
        if (rows.size() != 1) {
            throw new AssertionError(rows.size() + " rows in " + table + ": " + rows);
        }
        return rows.get(0);
    }

    public long count(String table, String condition, Object... parameters) {
        return Long.parseLong(texts("select count(*)::text from " + table + " where " + condition, parameters)
                .get(0));
    }

    /** Differs if anything is stored, changed or gone. */
    public String fingerprint() {
        StringBuilder all = new StringBuilder();
        for (String table : TABLES) {
            all.append(table)
                    .append(texts(
                            "select count(*) || ' ' || coalesce(md5(string_agg(t::text, ',' order by t::text)), '')"
                                    + " from " + table + " t"));
        }
        return all.toString();
    }

    private List<String> texts(String sql, Object... parameters) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            List<String> texts = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    texts.add(rows.getString(1));
                }
            }
            return texts;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** A statement that gives no rows, such as a lock. */
    public void execute(String sql) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
