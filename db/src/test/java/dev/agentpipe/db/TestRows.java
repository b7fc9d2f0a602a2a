package dev.agentpipe.db;

import dev.agentpipe.db.local.TestPostgres;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Looks into a test database, past the code under test. */
public final class TestRows implements AutoCloseable {

    private final Connection connection;

    public TestRows(String url) {
        try {
            connection = TestPostgres.connect(url);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** The rows, each as its columns' texts. */
    public List<Map<String, String>> rows(String query) {
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            List<Map<String, String>> rows = new ArrayList<>();
            while (result.next()) {
                Map<String, String> row = new LinkedHashMap<>();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                    row.put(result.getMetaData().getColumnName(i), result.getString(i));
                }
                rows.add(row);
            }
            return rows;
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    public Map<String, String> row(String query) {
        List<Map<String, String>> rows = rows(query);
        if (rows.size() != 1) {
            throw new AssertionError(rows.size() + " rows: " + query);
        }
        return rows.get(0);
    }

    public String value(String query) {
        return row(query).values().iterator().next();
    }

    public void run(String command) {
        try (Statement statement = connection.createStatement()) {
            statement.execute(command);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
