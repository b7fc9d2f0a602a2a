package dev.agentpipe.db.log;

import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.EVENT_LOG;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.max;
import static org.jooq.impl.DSL.min;
import static org.jooq.impl.DSL.sum;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.OffsetDateTime;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.impl.DSL;

/**
 * Deletes old events, in steps that are short transactions. The log's floor moves first, over some thousands of events, in a
 * step that takes the lock of the appends for the moment of an update; their rows go behind it, in steps that take no lock
 * that an append or a reader wants. A step that is killed leaves rows below the floor, which nobody reads; the next one
 * finds them.
 *
 * <p>An event is as old as its arrival by PostgreSQL's clock. The log is cut at its beginning only: an event with an
 * earlier time than those before it, since a clock was set, waits for them.
 *
 * <p>Not partitions by day, of which one could be dropped: that takes a lock on the whole table that stalls appends and
 * reads, each append must find its partition, and somebody must make tomorrow's in time. Vacuum makes the space of deleted
 * rows free for new ones, which at a steady rate is all that is needed.
 *
 * <p>Of several servers at once, one works. One thread at a time.
 */
public final class Retention {

    /** Rows that a step deletes: some milliseconds of work. */
    static final int ROWS_MAX = 500;

    /** The same in stored bytes, for large payloads lie in pieces of 2 kB, a row each. */
    static final int BYTES_MAX = 1 << 20;

    /** How far the floor moves at once: each time leaves a version of its row that appends must pass until it is pruned. */
    static final int FLOOR_ROWS_MAX = 10_000;

    /** The advisory lock of the one who works: an arbitrary number. */
    static final long LOCK = 0x6167_656e_7470_6970L;

    /**
     * What one step has done.
     *
     * @param events so many are gone
     * @param floor {@link dev.agentpipe.core.log.LogState#floor()} after it
     * @param floorMoved whether this step has moved it; the events up to it follow in the next ones
     */
    public record Trimmed(int events, long floor, boolean floorMoved) {

        /** Nothing was left to do. */
        public boolean isEmpty() {
            return events == 0 && !floorMoved;
        }
    }

    private final DSLContext sql;

    /** No event is left up to here; 0 between runs, since who else may have been at work, or crashed, is not known. */
    private long cleared;

    public Retention(DSLContext sql) {
        this.sql = Statements.named(sql, "retention");
    }

    /**
     * Deletes some of the events that came longer ago than this: one short transaction, to be called again until there is
     * nothing left to do, with pauses in between. If it has done nothing, nothing is left to do, or another server does it.
     * Conversations and messages stay.
     */
    public Trimmed step(Duration keep) {
        boolean goesOn = false;
        try {
            Trimmed trimmed = sql.transactionResult(configuration -> step(DSL.using(configuration), keep));
            goesOn = !trimmed.isEmpty();
            return trimmed;
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        } finally {
            if (!goesOn) {
                cleared = 0;
            }
        }
    }

    private Trimmed step(DSLContext transaction, Duration keep) {
        // Nobody need wait for the disk: what a crash takes back is done again.
        boolean mine = transaction
                .select(
                        field("pg_try_advisory_xact_lock({0})", Boolean.class, val(LOCK)),
                        field("set_config('synchronous_commit', 'off', true)"))
                .fetchSingle()
                .value1();
        long floor = transaction
                .select(EVENT_LOG.FLOOR)
                .from(EVENT_LOG)
                .fetchSingle()
                .value1();
        if (!mine) {
            return new Trimmed(0, floor, false);
        }
        Long end = batchEnd(transaction, floor);
        if (end != null) {
            int deleted = transaction
                    .deleteFrom(EVENTS)
                    .where(EVENTS.POSITION.gt(cleared).and(EVENTS.POSITION.le(end)))
                    .execute();
            cleared = end;
            return new Trimmed(deleted, floor, false);
        }
        cleared = floor;
        Long newFloor = oldEnd(transaction, floor, keep);
        if (newFloor == null) {
            return new Trimmed(0, floor, false);
        }
        transaction.update(EVENT_LOG).set(EVENT_LOG.FLOOR, newFloor).execute();
        return new Trimmed(0, newFloor, true);
    }

    /** The last of the next events to delete below the floor; null if there is none. */
    private Long batchEnd(DSLContext transaction, long floor) {
        Field<Integer> bytes = field("pg_column_size({0})", Integer.class, EVENTS.PAYLOAD);
        Table<?> next = transaction
                .select(EVENTS.POSITION, bytes.as("bytes"))
                .from(EVENTS)
                .where(EVENTS.POSITION.gt(cleared).and(EVENTS.POSITION.le(floor)))
                .orderBy(EVENTS.POSITION)
                .limit(ROWS_MAX)
                .asTable("next");
        Field<Long> position = next.field(EVENTS.POSITION);
        Field<Integer> nextBytes = next.field("bytes", Integer.class);
        Field<BigDecimal> bytesBefore = sum(nextBytes).over().orderBy(position).minus(nextBytes);
        Table<?> sized = transaction
                .select(position, bytesBefore.as("bytes_before"))
                .from(next)
                .asTable("sized");
        return transaction
                .select(max(sized.field(EVENTS.POSITION)))
                .from(sized)
                .where(sized.field("bytes_before", BigDecimal.class).lt(BigDecimal.valueOf(BYTES_MAX)))
                .fetchSingle()
                .value1();
    }

    /** The last of the old events that follow the floor, or of those looked at; null if the first one is not old. */
    private static Long oldEnd(DSLContext transaction, long floor, Duration keep) {
        Field<OffsetDateTime> oldest = field(DSL.select(EVENTS.RECEIVED_AT)
                .from(EVENTS)
                .where(EVENTS.POSITION.gt(floor))
                .orderBy(EVENTS.POSITION)
                .limit(1));
        Field<OffsetDateTime> before = Expressions.ago(keep);
        boolean isOld = Boolean.TRUE.equals(
                transaction.select(field(oldest.lt(before))).fetchSingle().value1());
        if (!isOld) {
            return null;
        }
        Table<?> next = transaction
                .select(EVENTS.POSITION, EVENTS.RECEIVED_AT)
                .from(EVENTS)
                .where(EVENTS.POSITION.gt(floor))
                .orderBy(EVENTS.POSITION)
                .limit(FLOOR_ROWS_MAX)
                .asTable("next");
        Field<Long> position = next.field(EVENTS.POSITION);
        Field<Long> firstYoung =
                min(position).filterWhere(next.field(EVENTS.RECEIVED_AT).ge(before));
        return transaction
                .select(coalesce(firstYoung.minus(1L), max(position)))
                .from(next)
                .fetchSingle()
                .value1();
    }
}
