package dev.agentpipe.db;

import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.EVENT_LOG;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.octetLength;
import static org.jooq.impl.DSL.sum;
import static org.jooq.impl.DSL.unnest;

import com.zaxxer.hikari.HikariDataSource;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogUnavailableException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record4;
import org.jooq.SelectConditionStep;
import org.jooq.SortField;
import org.jooq.Table;

/**
 * The log in PostgreSQL. Appends have a connection of their own, so that reads, however many and slow, cannot hold them
 * up. Thread-safe.
 */
final class PostgresEventLog implements EventLog {

    private static final Field<Long> HEAD = field("log_head()", Long.class);

    private final HikariDataSource writer;
    private final DSLContext reader;

    PostgresEventLog(HikariDataSource writer, DSLContext reader) {
        this.writer = writer;
        this.reader = reader;
    }

    @Override
    public LogState state() {
        try {
            return reader.select(EVENT_LOG.EPOCH, EVENT_LOG.FLOOR, HEAD)
                    .from(EVENT_LOG)
                    .fetchSingle(row -> new LogState(row.value1(), row.value2(), row.value3()));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    @Override
    public Appended append(List<Event> events) {
        try (Connection connection = writer.getConnection()) {
            return events.isEmpty()
                    ? AppendStatement.executeEmpty(connection)
                    : AppendStatement.execute(connection, events);
        } catch (SQLException failed) {
            throw writer.isClosed()
                    ? new LogUnavailableException("the database was closed", failed)
                    : PostgresFailures.translated(failed);
        }
    }

    /**
     * The sum over the sizes stops the page at {@code bytesMax} inside PostgreSQL: it needs only the sizes, so no payload
     * past the page is unpacked or sent, and no transaction is needed as it would be for fetching in pieces.
     */
    @Override
    public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
        Condition range = EVENTS.POSITION.gt(after).and(EVENTS.POSITION.le(upTo));
        Table<?> matching = matching(range, filter, EVENTS.POSITION.asc(), recordsMax);
        Field<Long> position = matching.field(EVENTS.POSITION);
        Field<String> payload = matching.field(EVENTS.PAYLOAD);
        Field<BigDecimal> bytesBefore =
                sum(octetLength(payload)).over().orderBy(position).minus(octetLength(payload));
        Table<?> page = reader.select(matching.fields())
                .select(bytesBefore.as("bytes_before"))
                .from(matching)
                .asTable("page");
        List<LogRecord> records;
        try {
            records = reader.select(
                            page.field(EVENTS.POSITION),
                            page.field(EVENTS.TYPE),
                            page.field(EVENTS.CONVERSATION_ID),
                            page.field(EVENTS.PAYLOAD))
                    .from(page)
                    .where(page.field("bytes_before", BigDecimal.class).lt(BigDecimal.valueOf(bytesMax)))
                    .orderBy(page.field(EVENTS.POSITION))
                    .fetch(PostgresEventLog::toRecord);
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
        long bytes = records.stream().mapToLong(log -> log.payload().length).sum();
        boolean full = records.size() >= recordsMax || bytes >= bytesMax;
        return new Page(records, full ? records.get(records.size() - 1).position() : upTo);
    }

    @Override
    public long beforeLast(int count, EventFilter filter) {
        Table<?> matching = matching(noCondition(), filter, EVENTS.POSITION.desc(), count);
        try {
            return reader.select(coalesce(min(matching.field(EVENTS.POSITION)).minus(1L), HEAD))
                    .from(matching)
                    .fetchSingle()
                    .value1();
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    /**
     * The first matching events in an order. For several conversations, the first of each by its own scan of the index:
     * one condition on all of them cannot use its order, and PostgreSQL might rather walk the whole log.
     */
    private Table<?> matching(Condition range, EventFilter filter, SortField<Long> order, int limit) {
        Condition condition = range.and(typeIs(filter.types()));
        Set<String> conversations = filter.conversationIds();
        if (conversations.size() <= 1) {
            Condition conversation = conversations.isEmpty()
                    ? noCondition()
                    : EVENTS.CONVERSATION_ID.eq(conversations.iterator().next());
            return select(condition.and(conversation))
                    .orderBy(order)
                    .limit(limit)
                    .asTable("matching");
        }
        Field<String> wanted = field(name("wanted", "id"), String.class);
        Table<?> ofEach = lateral(select(condition.and(EVENTS.CONVERSATION_ID.eq(wanted)))
                .orderBy(order)
                .limit(limit)
                .asTable("of_each"));
        return reader.select(ofEach.fields())
                .from(unnest(conversations.toArray(String[]::new)).as("wanted", "id"))
                .crossJoin(ofEach)
                .orderBy(
                        order.getOrder() == org.jooq.SortOrder.DESC
                                ? ofEach.field(EVENTS.POSITION).desc()
                                : ofEach.field(EVENTS.POSITION).asc())
                .limit(limit)
                .asTable("matching");
    }

    private SelectConditionStep<Record4<Long, String, String, String>> select(Condition condition) {
        return reader.select(EVENTS.POSITION, EVENTS.TYPE, EVENTS.CONVERSATION_ID, EVENTS.PAYLOAD)
                .from(EVENTS)
                .where(condition);
    }

    private static Condition typeIs(Set<EventType> types) {
        return types.isEmpty()
                ? noCondition()
                : EVENTS.TYPE.in(
                        types.stream().map(EventType::wireName).sorted().toList());
    }

    private static LogRecord toRecord(Record4<Long, String, String, String> row) {
        return new LogRecord(
                row.value1(),
                EventType.of(row.value2()),
                row.value3(),
                row.value4().getBytes(StandardCharsets.UTF_8));
    }
}
