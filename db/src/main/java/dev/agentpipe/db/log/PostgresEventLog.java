package dev.agentpipe.db.log;

import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.EVENT_LOG;
import static dev.agentpipe.db.postgres.Expressions.LOG_HEAD;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.greatest;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.octetLength;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.sum;
import static org.jooq.impl.DSL.trueCondition;

import com.zaxxer.hikari.HikariDataSource;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.postgres.DatabaseTelemetry;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.List;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record1;
import org.jooq.Record5;
import org.jooq.Result;
import org.jooq.ResultQuery;
import org.jooq.SortOrder;
import org.jooq.Table;

/**
 * The log in PostgreSQL. Appends have a connection of their own, so that reads, however many and slow, cannot hold them
 * up. Thread-safe.
 */
public final class PostgresEventLog implements EventLog {

    private final HikariDataSource writer;
    private final DSLContext reader;
    private final DSLContext state;
    private final DSLContext pages;
    private final DSLContext starts;
    private final DatabaseTelemetry telemetry;

    public PostgresEventLog(HikariDataSource writer, DSLContext reader) {
        this(writer, reader, DatabaseTelemetry.NONE);
    }

    /** @param telemetry told of the appends; of all else the reader tells */
    public PostgresEventLog(HikariDataSource writer, DSLContext reader, DatabaseTelemetry telemetry) {
        this.writer = writer;
        this.reader = reader;
        this.state = Statements.named(reader, "log_state");
        this.pages = Statements.named(reader, "replay_page");
        this.starts = Statements.named(reader, "replay_start");
        this.telemetry = telemetry;
    }

    @Override
    public LogState state() {
        try {
            return state.select(EVENT_LOG.EPOCH, EVENT_LOG.FLOOR, LOG_HEAD)
                    .from(EVENT_LOG)
                    .fetchSingle(row -> new LogState(row.value1(), row.value2(), row.value3()));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    @Override
    public Appended append(List<Event> events) {
        return writing(
                "append",
                connection -> events.isEmpty()
                        ? AppendStatement.executeEmpty(connection)
                        : AppendStatement.execute(connection, events));
    }

    /**
     * The commit of a transaction whose savepoint was taken back is written and synced like any other: it has a number, and
     * has written to the write-ahead log. Deleting the rows instead would use up their position ({@code keep_log_head}).
     */
    @Override
    public void rehearse(Event event) {
        writing("canary", connection -> {
            connection.setAutoCommit(false); // the pool sets it back
            Savepoint before = connection.setSavepoint();
            AppendStatement.execute(connection, List.of(event));
            connection.rollback(before);
            connection.commit();
            return null;
        });
    }

    private interface Work<T> {
        T in(Connection connection) throws SQLException;
    }

    private <T> T writing(String name, Work<T> work) {
        try (Connection connection = writer.getConnection()) {
            long start = System.nanoTime();
            boolean isDone = false;
            try {
                T result = work.in(connection);
                isDone = true;
                return result;
            } finally {
                telemetry.executed(name, System.nanoTime() - start, !isDone);
            }
        } catch (SQLException failed) {
            throw writer.isClosed()
                    ? new LogUnavailableException("the database was closed", failed)
                    : PostgresFailures.translated(failed);
        }
    }

    @Override
    public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        MatchingRecords matching = new MatchingRecords(filter, SortOrder.ASC, recordsMax);
        long end = matching.endOf(after, upTo);
        Result<Record5<Long, Long, String, String, String>> rows;
        try {
            rows = pages.fetch(pageOf(matching.between(after, end), bytesMax));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
        long floor = rows.get(0).value1();
        List<LogRecord> records = rows.stream()
                .filter(row -> row.value2() != null && row.value2() > floor)
                .map(PostgresEventLog::toRecord)
                .toList();
        long bytes = records.stream().mapToLong(log -> log.payload().length).sum();
        boolean full = records.size() >= recordsMax || bytes >= bytesMax;
        return new Page(records, full ? records.get(records.size() - 1).position() : end, floor);
    }

    /**
     * A row for each record of a page, or one without a record. All of it is one statement, so that the floor is that of the
     * moment in which the records were there. The sum over the sizes stops the page inside PostgreSQL: it needs only the
     * sizes, so no payload past the page is unpacked or sent, and no transaction is needed as it would be for fetching in
     * pieces.
     */
    ResultQuery<Record5<Long, Long, String, String, String>> pageOf(Table<?> matching, int bytesMax) {
        Field<Long> position = matching.field(EVENTS.POSITION);
        Field<String> payload = matching.field(EVENTS.PAYLOAD);
        Field<BigDecimal> bytesBefore =
                sum(octetLength(payload)).over().orderBy(position).minus(octetLength(payload));
        Table<?> sized = reader.select(matching.fields())
                .select(bytesBefore.as("bytes_before"))
                .from(matching)
                .asTable("sized");
        Table<?> page = reader.selectFrom(sized)
                .where(sized.field("bytes_before", BigDecimal.class).lt(BigDecimal.valueOf(bytesMax)))
                .asTable("page");
        return reader.select(
                        EVENT_LOG.FLOOR,
                        page.field(EVENTS.POSITION),
                        page.field(EVENTS.TYPE),
                        page.field(EVENTS.CONVERSATION_ID),
                        page.field(EVENTS.PAYLOAD))
                .from(EVENT_LOG)
                .leftJoin(page)
                .on(trueCondition())
                .where(EVENT_LOG.ONLY_ONE)
                .orderBy(page.field(EVENTS.POSITION));
    }

    @Override
    public long beforeLast(int count, EventFilter filter) {
        MatchingRecords matching = new MatchingRecords(filter, SortOrder.DESC, count);
        try {
            return starts.fetchSingle(beforeFirstOf(matching.between(0, Long.MAX_VALUE)))
                    .value1();
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    ResultQuery<Record1<Long>> beforeFirstOf(Table<?> matching) {
        Field<Long> floor = field(select(EVENT_LOG.FLOOR).from(EVENT_LOG));
        return reader.select(
                        greatest(coalesce(min(matching.field(EVENTS.POSITION)).minus(1L), LOG_HEAD), floor))
                .from(matching);
    }

    private static LogRecord toRecord(Record5<Long, Long, String, String, String> row) {
        return new LogRecord(
                row.value2(),
                EventType.of(row.value3()),
                row.value4(),
                row.value5().getBytes(StandardCharsets.UTF_8));
    }
}
