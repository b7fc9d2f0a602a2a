package dev.agentpipe.db;

import dev.agentpipe.db.generated.DefaultSchema;
import dev.agentpipe.db.postgres.ConnectionPool;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A look at a database as it is, for those who judge a deployment. Nothing is changed and nothing is migrated: each question
 * is a read-only transaction of its own, which PostgreSQL ends when it takes too long. It asks past a pooler, and with the
 * rights of the server's own user: what that user may not see is empty.
 *
 * <p>All methods throw {@link DatabaseStartException} when PostgreSQL does not answer. One thread at a time.
 */
public final class DatabaseInspection implements AutoCloseable {

    private static final Duration STATEMENT_MAX = Duration.ofSeconds(4);
    private static final String APPLICATION = "agentpipe-server";
    private static final Pattern CREATE_INDEX =
            Pattern.compile("^create (?:unique )?index (\\w+) on (\\w+)[^;]*;", Pattern.MULTILINE);

    /** The server, and what this session is on it. @param roundTrip of one question */
    public record Server(
            int majorVersion,
            String version,
            String target,
            String encoding,
            String timeZone,
            boolean isStandby,
            boolean isReadOnly,
            boolean isSuperuser,
            boolean isEncrypted,
            boolean isOnThisMachine,
            Duration roundTrip) {}

    /**
     * Who is connected.
     *
     * @param max that ordinary users may have together
     * @param reserved for superusers, in addition
     * @param own of servers of this program
     * @param others of everybody else
     */
    public record Connections(int max, int reserved, int own, int others) {}

    /** @param scans since statistics were reset; null where there is no such index */
    public record Index(String name, String table, boolean isValid, long scans, String definition) {
        public boolean isPresent() {
            return scans >= 0;
        }
    }

    /** Rows are estimates. */
    public record Table(String name, long rows, long deadRows, boolean isAnalyzed) {}

    /** Times are null where there is none. */
    public record Archive(Instant lastArchived, Instant lastFailed, int replicas) {}

    /** @param transactionAge how many transactions ago the oldest row was frozen */
    public record Upkeep(
            long transactionAge, Duration oldestTransaction, int idleSlots, long slotBytesMax, long bytes) {}

    /** @param oldest when the first event that is retained came; null if there is none */
    public record Log(String epoch, Instant oldest) {}

    /** @param expiring names of keys in use that end within a week */
    public record ManagedKeys(int usable, List<String> expiring) {
        public ManagedKeys {
            expiring = List.copyOf(expiring);
        }
    }

    private final PostgresUrl url;
    private final Connection connection;

    private DatabaseInspection(PostgresUrl url, Connection connection) {
        this.url = url;
        this.connection = connection;
    }

    /** @throws DatabaseStartException if PostgreSQL cannot be reached */
    public static DatabaseInspection open(DatabaseSettings settings) {
        return open(settings.directUrl());
    }

    /** By the URL of the pool, which may lead through a pooler. */
    public static DatabaseInspection openPooled(DatabaseSettings settings) {
        return open(settings.url());
    }

    private static DatabaseInspection open(PostgresUrl url) {
        try {
            Connection connection = ConnectionPool.unpooled(url).getConnection();
            connection.setNetworkTimeout(
                    Runnable::run, (int) STATEMENT_MAX.plusSeconds(1).toMillis());
            connection.setReadOnly(true);
            connection.setAutoCommit(false);
            return new DatabaseInspection(url, connection);
        } catch (SQLException away) {
            throw failed(away);
        }
    }

    public Server server() {
        long start = System.nanoTime();
        ask("select 1", row -> row.getInt(1));
        Duration roundTrip = Duration.ofNanos(System.nanoTime() - start);
        return one(
                """
                select current_setting('server_version_num')::int / 10000, current_setting('server_version'),
                    current_setting('server_encoding'), current_setting('TimeZone'), pg_is_in_recovery(),
                    current_setting('default_transaction_read_only')::bool, current_setting('is_superuser')::bool,
                    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false),
                    inet_server_addr() is null or inet_server_addr() = inet_client_addr()
                        or host(inet_server_addr()) in ('127.0.0.1', '::1')
                """,
                row -> new Server(
                        row.getInt(1),
                        row.getString(2).replaceAll(" .*", ""),
                        url.target(),
                        row.getString(3),
                        row.getString(4),
                        row.getBoolean(5),
                        row.getBoolean(6),
                        row.getBoolean(7),
                        row.getBoolean(8),
                        row.getBoolean(9),
                        roundTrip));
    }

    /** PostgreSQL's settings by name, in its own units; those that only a superuser may see are missing. */
    public Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        ask(
                "select name, setting from pg_settings where setting is not null",
                row -> settings.put(row.getString(1), row.getString(2)));
        return settings;
    }

    public Connections connections() {
        return one(
                """
                with used as (
                    select count(*) filter (where application_name = '%s') as own,
                        count(*) filter (where application_name <> '%1$s') as others
                    from pg_stat_activity where datid is not null and usesysid is not null and pid <> pg_backend_pid()),
                limits as (
                    select current_setting('max_connections')::int as max,
                        current_setting('superuser_reserved_connections')::int
                            + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
                        (select rolconnlimit from pg_roles where rolname = current_user) as of_role,
                        (select datconnlimit from pg_database where datname = current_database()) as of_database)
                select least(max - reserved, nullif(of_role, -1), nullif(of_database, -1)), reserved, own, others
                from used, limits
                """.formatted(APPLICATION),
                row -> new Connections(row.getInt(1), row.getInt(2), row.getInt(3), row.getInt(4)));
    }

    public SchemaState schema() {
        try (Statement statement = begin()) {
            return SchemaState.in(statement);
        } catch (SQLException failed) {
            throw failed(failed);
        } finally {
            end();
        }
    }

    /** Every index that the migrations make, whether it is there or not. */
    public List<Index> indexes() {
        Map<String, Index> found = new HashMap<>();
        ask("""
                select i.relname, t.relname, x.indisvalid and x.indisready, coalesce(s.idx_scan, 0)
                from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
                    left join pg_stat_user_indexes s on s.indexrelid = x.indexrelid
                where i.relnamespace = current_schema()::regnamespace
                """, row -> {
            Index index = new Index(row.getString(1), row.getString(2), row.getBoolean(3), row.getLong(4), "");
            return found.put(index.name(), index);
        });
        List<Index> all = new ArrayList<>();
        expectedIndexes().forEach((name, expected) -> {
            Index there = found.get(name);
            all.add(
                    there == null
                            ? expected
                            : new Index(name, there.table, there.isValid, there.scans, expected.definition));
        });
        return all;
    }

    /** By name, from the migrations, and the keys of tables from the code that is made from these. */
    static Map<String, Index> expectedIndexes() {
        Map<String, Index> expected = new TreeMap<>();
        for (String migration : Migrations.NAMES) {
            Matcher made = CREATE_INDEX.matcher(Migrations.sql(migration));
            while (made.find()) {
                String sql = made.group().replaceAll("--.*", "").replaceAll("\\s+", " ");
                expected.put(made.group(1), new Index(made.group(1), made.group(2), false, -1, sql));
            }
        }
        DefaultSchema.DEFAULT_SCHEMA
                .getTables()
                .forEach(table -> table.getKeys()
                        .forEach(key ->
                                expected.put(key.getName(), new Index(key.getName(), table.getName(), false, -1, ""))));
        return expected;
    }

    public List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        ask("""
                select relname, n_live_tup, n_dead_tup, coalesce(last_analyze, last_autoanalyze) is not null
                from pg_stat_user_tables where schemaname = current_schema()
                """, row -> tables.add(new Table(row.getString(1), row.getLong(2), row.getLong(3), row.getBoolean(4))));
        return tables;
    }

    public Archive archive() {
        return one("""
                select last_archived_time, last_failed_time, (select count(*) from pg_stat_replication)
                from pg_stat_archiver
                """, row -> new Archive(instant(row, 1), instant(row, 2), row.getInt(3)));
    }

    public Upkeep upkeep() {
        return one(
                """
                select (select age(datfrozenxid) from pg_database where datname = current_database()),
                    (select coalesce(max(extract(epoch from now() - xact_start)), 0)::bigint
                        from pg_stat_activity where pid <> pg_backend_pid() and usesysid is not null),
                    (select count(*) from pg_replication_slots where not active),
                    (select coalesce(max(case when pg_is_in_recovery() then 0
                            else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end), 0)::bigint
                        from pg_replication_slots where not active),
                    pg_database_size(current_database())
                """,
                row -> new Upkeep(
                        row.getLong(1),
                        Duration.ofSeconds(row.getLong(2)),
                        row.getInt(3),
                        row.getLong(4),
                        row.getLong(5)));
    }

    /** How far PostgreSQL's clock is ahead of this machine's, as seen from the middle of a round trip. */
    public Duration clockAhead() {
        Instant before = Instant.now();
        Instant there = one("select clock_timestamp()", row -> instant(row, 1));
        Duration roundTrip = Duration.between(before, Instant.now());
        return Duration.between(before.plus(roundTrip.dividedBy(2)), there);
    }

    public Log log() {
        return one("""
                select epoch, (select received_at from events where position > floor order by position limit 1)
                from event_log
                """, row -> new Log(row.getString(1), instant(row, 2)));
    }

    public ManagedKeys managedKeys() {
        return one(
                """
                select count(*), coalesce(array_agg(name order by name) filter (where expires_at < now() + interval '7 days'), '{}')
                from api_keys where revoked_at is null and (expires_at is null or expires_at > now())
                """,
                row -> new ManagedKeys(
                        row.getInt(1), List.of((String[]) row.getArray(2).getArray())));
    }

    private interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private <T> T one(String sql, Row<T> read) {
        List<T> rows = new ArrayList<>(1);
        ask(sql, row -> rows.add(read.read(row)));
        return Optional.of(rows)
                .filter(some -> !some.isEmpty())
                .map(some -> some.get(0))
                .orElseThrow(() -> new DatabaseStartException("PostgreSQL has no answer, where there is always one"));
    }

    private <T> void ask(String sql, Row<T> read) {
        try (Statement statement = begin();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                read.read(rows);
            }
        } catch (SQLException failed) {
            throw failed(failed);
        } finally {
            end();
        }
    }

    /** Local to the transaction: behind a pooler the session is somebody else's next. */
    private Statement begin() throws SQLException {
        Statement statement = connection.createStatement();
        statement.execute("set local statement_timeout = " + STATEMENT_MAX.toMillis());
        return statement;
    }

    private void end() {
        try {
            connection.rollback();
        } catch (SQLException broken) {
            // The next question tells.
        }
    }

    private static Instant instant(ResultSet row, int column) throws SQLException {
        OffsetDateTime at = row.getObject(column, OffsetDateTime.class);
        return at == null ? null : at.toInstant();
    }

    /** In the words of the server, which never hold a password, and in one line. */
    private static DatabaseStartException failed(SQLException failed) {
        return new DatabaseStartException(
                String.valueOf(failed.getMessage()).lines().findFirst().orElse(""), failed);
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException broken) {
            // It is closed, then.
        }
    }
}
