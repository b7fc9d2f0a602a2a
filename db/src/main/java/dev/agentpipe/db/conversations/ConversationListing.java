package dev.agentpipe.db.conversations;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static dev.agentpipe.db.postgres.Expressions.startedAt;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.count;
import static org.jooq.impl.DSL.exists;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.left;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectOne;
import static org.jooq.impl.DSL.val;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Record1;
import org.jooq.Record2;
import org.jooq.Select;
import org.jooq.SelectLimitStep;
import org.jooq.SortOrder;
import org.jooq.Table;

/**
 * Which conversations stand where in a list: ids alone, found in the index of the order without a look at the table.
 *
 * <p>An index on the totals of conversations that change with each message would make each message dearer. So only those
 * that are not ACTIVE are found by one; they are merged with the ACTIVE ones, which are few, and looked at one by one.
 *
 * <p>A participant is asked for by a condition that PostgreSQL may turn around: for a rare one, it begins with the
 * participants.
 */
final class ConversationListing {

    /** A count with a condition on participants ends here: it has to look at each conversation's. */
    static final int COUNT_MAX = 1_000;

    /** The length of what the index of the models holds. */
    private static final int MODEL_INDEXED_CHARS = ConversationFilter.MODEL_CHARS_MAX + 1;

    private static final String ACTIVE = "ACTIVE";

    private final ConversationFilter filter;
    private final ConversationOrder order;

    ConversationListing(ConversationFilter filter, ConversationOrder order) {
        this.filter = filter;
        this.order = order;
    }

    /** What the order compares, of a conversation that is in the order's index. */
    private Field<?> indexed() {
        return switch (order.by()) {
            case CREATED_AT -> CONVERSATIONS.CREATED_AT;
            case STARTED_AT -> startedAt();
            case TOTAL_MESSAGES -> CONVERSATIONS.SETTLED_MESSAGES;
            case TOTAL_TOKENS -> CONVERSATIONS.SETTLED_TOKENS;
            case TOTAL_COST -> CONVERSATIONS.SETTLED_COST;
            case TOTAL_DURATION -> CONVERSATIONS.SETTLED_DURATION_MS;
        };
    }

    /** The same of one that is ACTIVE; null where all are in the index. */
    private Field<?> live() {
        return switch (order.by()) {
            case CREATED_AT, STARTED_AT -> null;
            case TOTAL_MESSAGES -> coalesce(CONVERSATIONS.REPORTED_MESSAGES, CONVERSATIONS.MESSAGE_COUNT);
            case TOTAL_TOKENS -> coalesce(CONVERSATIONS.REPORTED_TOKENS, CONVERSATIONS.MESSAGE_TOKENS);
            case TOTAL_COST -> coalesce(CONVERSATIONS.REPORTED_COST, CONVERSATIONS.MESSAGE_COST);
            case TOTAL_DURATION ->
                coalesce(
                        CONVERSATIONS.REPORTED_DURATION_MS,
                        CONVERSATIONS.MESSAGE_DURATION_MS.cast(CONVERSATIONS.REPORTED_DURATION_MS));
        };
    }

    /** Ids, and the values they are ordered by, as {@code id} and {@code value}. */
    Select<? extends Record2<String, ?>> page(ConversationPlace after, int offset, int limit) {
        Field<?> live = live();
        if (live == null) {
            return ordered(indexed(), after, noCondition()).limit(limit).offset(offset);
        }
        SelectLimitStep<? extends Record2<String, ?>> settled =
                ordered(indexed(), after, indexed().isNotNull());
        if (!filter.statuses().isEmpty() && !filter.statuses().contains(ACTIVE)) {
            return settled.limit(limit).offset(offset);
        }
        SelectLimitStep<? extends Record2<String, ?>> active =
                ordered(live, after, CONVERSATIONS.STATUS.eq(inline(ACTIVE)));
        if (filter.statuses().equals(List.of(ACTIVE))) {
            return active.limit(limit).offset(offset);
        }
        // Each part alone may hold the whole page, and all before it.
        return merged(settled.limit(limit + offset), active.limit(limit + offset), limit, offset);
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // the type of the value is that of the order
    private Select<? extends Record2<String, ?>> merged(
            Select<? extends Record2<String, ?>> settled,
            Select<? extends Record2<String, ?>> active,
            int limit,
            int offset) {
        Table<?> both = ((Select) select(settled.asTable("settled").fields()).from(settled.asTable("settled")))
                .unionAll(select(active.asTable("active").fields()).from(active.asTable("active")))
                .asTable("both_kinds");
        Field<String> id = both.field("id", String.class);
        Field<?> value = both.field("value");
        return select(id, value)
                .from(both)
                .orderBy(value.sort(direction()), id.sort(direction()))
                .limit(limit)
                .offset(offset);
    }

    private SelectLimitStep<? extends Record2<String, ?>> ordered(
            Field<?> value, ConversationPlace after, Condition condition) {
        return select(CONVERSATIONS.ID.as("id"), value.as("value"))
                .from(CONVERSATIONS)
                .where(wanted())
                .and(condition)
                .and(after == null ? noCondition() : follows(value, after))
                .orderBy(value.sort(direction()), CONVERSATIONS.ID.sort(direction()));
    }

    private SortOrder direction() {
        return order.isDescending() ? SortOrder.DESC : SortOrder.ASC;
    }

    @SuppressWarnings("unchecked") // the type of the value is that of the order
    private Condition follows(Field<?> value, ConversationPlace after) {
        Field<Object> left = (Field<Object>) value;
        Field<Object> right = (Field<Object>) val(toValue(after.value()), value.getDataType());
        return order.isDescending()
                ? row(left, CONVERSATIONS.ID).lt(right, val(after.id()))
                : row(left, CONVERSATIONS.ID).gt(right, val(after.id()));
    }

    private Object toValue(BigDecimal place) {
        return switch (order.by()) {
            case CREATED_AT, STARTED_AT ->
                Instant.EPOCH.plus(place.longValueExact(), ChronoUnit.MICROS).atOffset(ZoneOffset.UTC);
            case TOTAL_MESSAGES, TOTAL_TOKENS -> place.longValueExact();
            case TOTAL_COST, TOTAL_DURATION -> place;
        };
    }

    static BigDecimal toPlace(Object value) {
        if (value instanceof OffsetDateTime time) {
            return BigDecimal.valueOf(ChronoUnit.MICROS.between(Instant.EPOCH, time.toInstant()));
        }
        return value instanceof Long number ? BigDecimal.valueOf(number) : (BigDecimal) value;
    }

    /** How many there are; with a condition on participants no more than {@link #COUNT_MAX}. */
    Select<Record1<Integer>> total() {
        if (!filter.asksForParticipants()) {
            return select(count()).from(CONVERSATIONS).where(wanted());
        }
        return select(count())
                .from(select(CONVERSATIONS.ID)
                        .from(CONVERSATIONS)
                        .where(wanted())
                        .limit(COUNT_MAX)
                        .asTable("counted"));
    }

    private Condition wanted() {
        List<Condition> conditions = new ArrayList<>();
        if (!filter.statuses().isEmpty()) {
            conditions.add(CONVERSATIONS.STATUS.in(filter.statuses()));
        }
        filter.mode().map(CONVERSATIONS.MODE::eq).ifPresent(conditions::add);
        filter.source().map(CONVERSATIONS.SOURCE::eq).ifPresent(conditions::add);
        filter.from().map(from -> startedAt().ge(from.atOffset(ZoneOffset.UTC))).ifPresent(conditions::add);
        filter.to().map(to -> startedAt().le(to.atOffset(ZoneOffset.UTC))).ifPresent(conditions::add);
        if (filter.asksForParticipants()) {
            conditions.add(exists(selectOne()
                    .from(CONVERSATION_AGENTS)
                    .where(CONVERSATION_AGENTS.CONVERSATION_ID.eq(CONVERSATIONS.ID))
                    .and(filter.agentType()
                            .map(CONVERSATION_AGENTS.AGENT_TYPE::eq)
                            .orElse(noCondition()))
                    .and(filter.model()
                            .map(model -> left(CONVERSATION_AGENTS.MODEL, inline(MODEL_INDEXED_CHARS))
                                    .eq(model))
                            .orElse(noCondition()))));
        }
        return conditions.stream().reduce(noCondition(), Condition::and);
    }
}
