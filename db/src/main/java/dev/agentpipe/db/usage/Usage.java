package dev.agentpipe.db.usage;

import static dev.agentpipe.db.generated.Tables.USAGE_PROGRESS;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.time.Duration;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/**
 * What agents have used: sums that follow the log at a distance ({@code V003__usage.sql}), and what was said since then.
 * Thread-safe.
 */
public final class Usage {

    /** How far the log may be ahead of the sums when somebody asks: so many messages are added up for each question. */
    static final int REST_MAX = 10_000;

    /** Positions taken in by one step: some 50 milliseconds, in which those who ask wait for each other. */
    private static final int STEP = 10_000;

    private static final Duration CATCH_UP_MAX = Duration.ofSeconds(3);

    private final DSLContext sql;
    private final DSLContext sums;

    /** What a bucket of a series spans. */
    public enum Interval {
        HOUR,
        DAY;

        String unit() {
            return this == HOUR ? "hour" : "day";
        }
    }

    /** How many agents and models are told of. */
    public record PartLimits(int ofAll, int ofBucket) {}

    public Usage(DSLContext sql) {
        this.sql = Statements.named(sql, "usage");
        this.sums = Statements.named(sql, "usage_sums");
    }

    /** Takes some more messages into the sums. Returns how many positions of the log are left: 0 when they are up to date. */
    public long bringForward() {
        try {
            return sums.transactionResult(configuration -> {
                // Nobody need wait for the disk: what a crash takes back is done again.
                return DSL.using(configuration)
                        .select(
                                field("set_config('synchronous_commit', 'off', true)", String.class),
                                field("advance_usage({0})", Long.class, val((long) STEP)))
                        .fetchSingle()
                        .value2();
            });
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    /** How many positions the log is ahead of the sums. */
    public long behind() {
        try {
            return sums.select(Expressions.LOG_HEAD.minus(USAGE_PROGRESS.POSITION))
                    .from(USAGE_PROGRESS)
                    .fetchSingle()
                    .value1();
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    /**
     * Messages by their time, conversations by that of their start.
     *
     * @param interval of the series; null for none
     * @throws LogUnavailableException also while the sums are too far behind to answer
     */
    public UsageSummary summary(UsageRange range, Interval interval, PartLimits limits) {
        catchUp();
        try {
            return sql.transactionResult(configuration -> {
                DSLContext snapshot = DSL.using(configuration);
                snapshot.execute("set transaction isolation level repeatable read, read only");
                return new UsageQuestion(snapshot, range, interval, limits).answer();
            });
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    private void catchUp() {
        long start = System.nanoTime();
        long behind = behind();
        while (behind > REST_MAX) {
            if (System.nanoTime() - start > CATCH_UP_MAX.toNanos()) {
                throw new LogUnavailableException("the usage of " + behind + " events is not summed up yet", null);
            }
            behind = bringForward();
        }
    }
}
