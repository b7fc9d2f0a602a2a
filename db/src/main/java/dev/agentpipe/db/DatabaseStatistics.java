package dev.agentpipe.db;

import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.generated.DefaultSchema;
import dev.agentpipe.db.postgres.PostgresFailures;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Named;
import org.jooq.Record;
import org.jooq.TableOptions.TableType;

/**
 * What PostgreSQL says of itself.
 *
 * @param floor events up to this position are deleted
 * @param head the last position of the log
 * @param oldestEvent when the oldest event that is kept came
 * @param bytes of the whole database
 * @param connections of all clients of this PostgreSQL
 * @param oldestTransaction for how long it has been open; of those that this user may see
 */
public record DatabaseStatistics(
        long floor,
        long head,
        Optional<Instant> oldestEvent,
        long bytes,
        int connections,
        int connectionsMax,
        Duration oldestTransaction,
        List<Table> tables) {

    public DatabaseStatistics {
        tables = List.copyOf(tables);
    }

    /**
     * One of the server's own tables.
     *
     * @param bytes without its indexes
     * @param rows as many as PostgreSQL thinks that there are
     * @param deadRows versions that nobody sees any more and no vacuum has made free
     */
    public record Table(String name, long bytes, long indexBytes, long rows, long deadRows) {}

    /** How it is asked. The sizes are those of files, so nothing is counted, and no lock is waited for. */
    static final class Question {

        private static final String ALL = """
                select l.floor, log_head(), first.received_at, pg_database_size(current_database()),
                    (select sum(numbackends) from pg_stat_database)::integer, current_setting('max_connections')::integer,
                    coalesce((select extract(epoch from max(clock_timestamp() - xact_start)) from pg_stat_activity
                        where pid <> pg_backend_pid()), 0)::double precision
                from event_log as l
                left join lateral (
                    select received_at from events where position > l.floor order by position limit 1) as first on true
                """;

        private static final String TABLES = """
                select c.relname, pg_table_size(c.oid), pg_indexes_size(c.oid),
                    greatest(c.reltuples, 0)::bigint, coalesce(pg_stat_get_dead_tuples(c.oid), 0)
                from pg_class as c
                where c.relkind = 'r' and c.relname = any ({0}) and pg_table_is_visible(c.oid)
                order by c.relname
                """;

        private static final String[] OWN = DefaultSchema.DEFAULT_SCHEMA.getTables().stream()
                .filter(table -> table.getTableType() == TableType.TABLE)
                .map(Named::getName)
                .toArray(String[]::new);

        private final DSLContext sql;

        Question(DSLContext sql) {
            this.sql = sql;
        }

        DatabaseStatistics ask() {
            try {
                List<Table> tables = sql.fetch(TABLES, val(OWN)).map(Question::table);
                Record row = sql.fetchSingle(ALL);
                return new DatabaseStatistics(
                        row.get(0, Long.class),
                        row.get(1, Long.class),
                        Optional.ofNullable(row.get(2, OffsetDateTime.class)).map(OffsetDateTime::toInstant),
                        row.get(3, Long.class),
                        row.get(4, Integer.class),
                        row.get(5, Integer.class),
                        Duration.ofMillis(Math.round(1_000 * row.get(6, Double.class))),
                        tables);
            } catch (RuntimeException failed) {
                throw PostgresFailures.translated(failed);
            }
        }

        private static Table table(Record row) {
            return new Table(
                    row.get(0, String.class),
                    row.get(1, Long.class),
                    row.get(2, Long.class),
                    row.get(3, Long.class),
                    row.get(4, Long.class));
        }
    }
}
