package dev.agentpipe.db.usage;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.USAGE_PROGRESS;
import static dev.agentpipe.db.generated.Tables.USAGE_TOTALS;
import static org.jooq.impl.DSL.asterisk;
import static org.jooq.impl.DSL.avg;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.grouping;
import static org.jooq.impl.DSL.groupingSets;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.rowNumber;
import static org.jooq.impl.DSL.sum;
import static org.jooq.impl.DSL.table;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.generated.tables.UsageTotals;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.usage.Usage.Interval;
import dev.agentpipe.db.usage.Usage.PartLimits;
import dev.agentpipe.db.usage.UsageSummary.Bucket;
import dev.agentpipe.db.usage.UsageSummary.Part;
import dev.agentpipe.db.usage.UsageSummary.Sums;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Record;
import org.jooq.ResultQuery;
import org.jooq.Table;
import org.jooq.impl.SQLDataType;

/** One question about usage, asked in one snapshot. One thread. */
final class UsageQuestion {

    private static final int DAY_MINUTES = 1_440;
    private static final int QUARTER_MINUTES = 15;

    private static final UsageTotals USED = USAGE_TOTALS.as("used");
    private static final Field<OffsetDateTime> BUCKET = field(name("bucket"), SQLDataType.TIMESTAMPWITHTIMEZONE);
    private static final Field<Integer> NOT_BY_AGENT = field(name("not_by_agent"), Integer.class);
    private static final Field<Integer> NOT_BY_MODEL = field(name("not_by_model"), Integer.class);
    private static final Field<Integer> RANK = field(name("rank"), Integer.class);

    private final DSLContext sql;
    private final UsageRange range;
    private final Interval interval;
    private final PartLimits limits;

    UsageQuestion(DSLContext sql, UsageRange range, Interval interval, PartLimits limits) {
        this.sql = sql;
        this.range = range;
        this.interval = interval;
        this.limits = limits;
    }

    UsageSummary answer() {
        long done = sql.select(USAGE_PROGRESS.POSITION)
                .from(USAGE_PROGRESS)
                .fetchSingle()
                .value1();
        List<Bucket> all = buckets(groups(done, null, limits.ofAll()));
        Bucket whole = all.isEmpty() ? new Bucket(null, Sums.NONE, List.of(), List.of()) : all.get(0);
        List<Bucket> series = interval == null ? List.of() : buckets(groups(done, interval, limits.ofBucket()));
        Record conversations = conversations().fetchSingle();
        return new UsageSummary(
                conversations.get(0, Long.class),
                conversations.get(1, Long.class),
                conversations.get(2, BigDecimal.class),
                whole.total(),
                whole.agents(),
                whole.models(),
                series);
    }

    ResultQuery<? extends Record> conversations() {
        return sql.select(
                        count(),
                        count().filterWhere(CONVERSATIONS.STATUS.eq(inline("ACTIVE"))),
                        avg(CONVERSATIONS.SETTLED_DURATION_MS))
                .from(CONVERSATIONS)
                .where(within(Expressions.startedAt(), range.from(), range.to()));
    }

    /**
     * For each bucket a row that sums up all, and one for each of the agents and of the models with the most messages.
     *
     * @param by null for one bucket, which is null
     */
    ResultQuery<? extends Record> groups(long done, Interval by, int max) {
        Table<?> used = sql.select(asterisk())
                .from(USAGE_TOTALS)
                .where(pieces(by))
                .unionAll(sql.select(asterisk())
                        .from(table("usage_between({0}, {1})", val(done), val(Long.MAX_VALUE))
                                .as(USAGE_TOTALS))
                        .where(within(USAGE_TOTALS.BUCKET_START, range.from(), range.to())))
                .asTable(USED.getName());
        Field<OffsetDateTime> bucket = by == null
                ? inline(null, SQLDataType.TIMESTAMPWITHTIMEZONE)
                : field(
                        "date_trunc({0}, {1}, 'UTC')",
                        SQLDataType.TIMESTAMPWITHTIMEZONE, inline(by.unit()), USED.BUCKET_START);
        Table<?> buckets = sql.select(asterisk(), bucket.as(BUCKET)).from(used).asTable(USED.getName());
        Table<?> groups = sql.select(
                        BUCKET,
                        USED.AGENT_TYPE,
                        USED.MODEL,
                        sum(USED.MESSAGES).as(USED.MESSAGES),
                        sum(USED.CONVERSATIONS).as(USED.CONVERSATIONS),
                        sum(USED.INPUT_TOKENS).as(USED.INPUT_TOKENS),
                        sum(USED.OUTPUT_TOKENS).as(USED.OUTPUT_TOKENS),
                        sum(USED.TOTAL_TOKENS).as(USED.TOTAL_TOKENS),
                        sum(USED.COST).as(USED.COST),
                        sum(USED.DURATION_MS).as(USED.DURATION_MS),
                        grouping(USED.AGENT_TYPE).as(NOT_BY_AGENT),
                        grouping(USED.MODEL).as(NOT_BY_MODEL),
                        rowNumber()
                                .over()
                                .partitionBy(BUCKET, grouping(USED.AGENT_TYPE), grouping(USED.MODEL))
                                .orderBy(sum(USED.MESSAGES).desc(), USED.AGENT_TYPE, USED.MODEL)
                                .as(RANK))
                .from(buckets)
                .groupBy(groupingSets(Set.of(BUCKET), List.of(BUCKET, USED.AGENT_TYPE), List.of(BUCKET, USED.MODEL)))
                .asTable("groups");
        return sql.select(groups.fields())
                .from(groups)
                .where(RANK.le(inline(max)))
                .orderBy(BUCKET, NOT_BY_AGENT, NOT_BY_MODEL, RANK);
    }

    /** Whole days as days, if hours are not asked for, and what is left at both ends as quarters. */
    private Condition pieces(Interval by) {
        Instant firstDay = range.firstDay();
        Instant daysEnd = range.daysEnd();
        boolean hasDays = firstDay == null || daysEnd == null || firstDay.isBefore(daysEnd);
        if (by == Interval.HOUR || !hasDays) {
            return piece(QUARTER_MINUTES, range.from(), range.to());
        }
        Condition pieces = piece(DAY_MINUTES, firstDay, daysEnd);
        if (firstDay != null && range.from().isBefore(firstDay)) {
            pieces = pieces.or(piece(QUARTER_MINUTES, range.from(), firstDay));
        }
        if (daysEnd != null && daysEnd.isBefore(range.to())) {
            pieces = pieces.or(piece(QUARTER_MINUTES, daysEnd, range.to()));
        }
        return pieces;
    }

    private static Condition piece(int minutes, Instant from, Instant to) {
        return USAGE_TOTALS.BUCKET_MINUTES.eq(inline(minutes)).and(within(USAGE_TOTALS.BUCKET_START, from, to));
    }

    private static Condition within(Field<OffsetDateTime> at, Instant from, Instant to) {
        Condition within = from == null ? noCondition() : at.ge(from.atOffset(ZoneOffset.UTC));
        return to == null ? within : within.and(at.lt(to.atOffset(ZoneOffset.UTC)));
    }

    private static List<Bucket> buckets(ResultQuery<? extends Record> groups) {
        Map<OffsetDateTime, Sums> totals = new LinkedHashMap<>();
        Map<OffsetDateTime, List<Part>> agents = new LinkedHashMap<>();
        Map<OffsetDateTime, List<Part>> models = new LinkedHashMap<>();
        for (Record group : groups) {
            OffsetDateTime bucket = group.get(BUCKET);
            boolean byAgent = group.get(NOT_BY_AGENT) == 0;
            boolean byModel = group.get(NOT_BY_MODEL) == 0;
            if (byAgent) {
                agents.computeIfAbsent(bucket, key -> new ArrayList<>())
                        .add(new Part(known(group.get(USED.AGENT_TYPE)), sums(group)));
            } else if (byModel) {
                models.computeIfAbsent(bucket, key -> new ArrayList<>())
                        .add(new Part(known(group.get(USED.MODEL)), sums(group)));
            } else {
                totals.put(bucket, sums(group));
            }
        }
        return totals.entrySet().stream()
                .map(entry -> new Bucket(
                        entry.getKey() == null ? null : entry.getKey().toInstant(),
                        entry.getValue(),
                        agents.getOrDefault(entry.getKey(), List.of()),
                        models.getOrDefault(entry.getKey(), List.of())))
                .toList();
    }

    private static String known(String name) {
        return name.isEmpty() ? null : name;
    }

    private static Sums sums(Record group) {
        return new Sums(
                group.get("messages", Long.class),
                group.get("conversations", Long.class),
                group.get("input_tokens", BigDecimal.class),
                group.get("output_tokens", BigDecimal.class),
                group.get("total_tokens", BigDecimal.class),
                group.get("cost", BigDecimal.class),
                group.get("duration_ms", BigDecimal.class));
    }
}
