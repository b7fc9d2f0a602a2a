package dev.agentpipe.server.privacy;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** All that a database holds: every column of every table, whatever its type. */
final class EveryTable {

    private static final String TABLES = """
            select table_name from information_schema.tables
            where table_schema = current_schema() and table_type = 'BASE TABLE' order by table_name
            """;

    private EveryTable() {}

    /** The tables with a row that has this text, whether in upper or lower case, or in bytes. */
    static List<String> holding(TestServer server, String text) {
        List<String> tables = new ArrayList<>();
        List<String> holding = new ArrayList<>();
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            try (ResultSet rows = statement.executeQuery(TABLES)) {
                while (rows.next()) {
                    tables.add(rows.getString(1));
                }
            }
            assertTrue(tables.contains("events") && tables.contains("search_documents"), tables.toString());
            for (String table : tables) {
                String sql = "select count(*) from " + table + " as t where strpos(lower(t::text), ?) > 0"
                        + " or strpos(t::text, ?) > 0";
                try (PreparedStatement count = connection.prepareStatement(sql)) {
                    count.setString(1, text.toLowerCase(Locale.ROOT));
                    count.setString(2, HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8)));
                    try (ResultSet row = count.executeQuery()) {
                        row.next();
                        if (row.getLong(1) > 0) {
                            holding.add(table);
                        }
                    }
                }
            }
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
        return holding;
    }

    static long number(TestServer server, String sql) {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }
}
