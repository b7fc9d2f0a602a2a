package dev.agentpipe.db.backup;

import dev.agentpipe.db.backup.BackupManifest.Table;
import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One moment of a database, which others may look at, too, as long as this is open. Whatever is committed meanwhile is not
 * in it, and nobody waits for it. For one thread.
 */
final class Snapshot implements AutoCloseable {

    /**
     * How rows become text does not depend on anybody's settings; and one processor is enough, since the others are busy with
     * events.
     */
    static final String SETTINGS = """
            set local datestyle = 'ISO, YMD'; set local timezone = 'UTC'; set local bytea_output = 'hex';
            set local intervalstyle = 'postgres'; set local extra_float_digits = 1;
            set local max_parallel_workers_per_gather = 0;
            """;

    private static final String TABLES = """
            select c.relname, array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = '')
            from pg_class as c join pg_attribute as a on a.attrelid = c.oid
            where c.relnamespace = (select oid from pg_namespace where nspname = current_schema())
                and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            group by c.relname order by c.relname
            """;

    private final Connection connection;
    private final Statement statement;

    Snapshot(PostgresUrl database) throws SQLException {
        this.connection = ConnectionPool.unpooled(database).getConnection();
        try {
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            this.statement = connection.createStatement();
            statement.execute(SETTINGS);
        } catch (SQLException | RuntimeException failed) {
            connection.close();
            throw failed;
        }
    }

    Connection connection() {
        return connection;
    }

    /** For the option {@code --snapshot} of pg_dump. */
    String exported() throws SQLException {
        return value("select pg_export_snapshot()");
    }

    String value(String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /** All of the schema, without their counts. */
    List<Table> tables() throws SQLException {
        return tables(statement);
    }

    static List<Table> tables(Statement statement) throws SQLException {
        List<Table> tables = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(TABLES)) {
            while (rows.next()) {
                String[] columns = (String[]) rows.getArray(2).getArray();
                tables.add(new Table(rows.getString(1), Arrays.asList(columns), 0, ""));
            }
        }
        return tables;
    }

    /** The table with its counts, which takes as long as reading all of it. */
    Table counted(Table table) throws SQLException {
        try (ResultSet row = statement.executeQuery(counts(quoted(table.name())))) {
            row.next();
            return new Table(table.name(), table.columns(), row.getLong(1), row.getString(2));
        }
    }

    /** A query for the number of rows, and a sum of their hashes: the same for the same rows in any order. */
    static String counts(String table) {
        return "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from " + table + " as t";
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
