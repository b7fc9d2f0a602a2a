package dev.agentpipe.db.log;

import static dev.agentpipe.db.generated.Tables.EVENTS;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.inline;
import static org.jooq.impl.DSL.lateral;
import static org.jooq.impl.DSL.name;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.row;
import static org.jooq.impl.DSL.select;
import static org.jooq.impl.DSL.selectFrom;
import static org.jooq.impl.DSL.unnest;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;
import org.jooq.Condition;
import org.jooq.Field;
import org.jooq.Record4;
import org.jooq.Select;
import org.jooq.SortOrder;
import org.jooq.Table;

/**
 * The first records that match a filter, at a cost that follows what is found and not the length of the log.
 *
 * <ul>
 *   <li>Of conversations, and of types without the commonest one: from an index that has them in their order, each
 *       conversation or type by a scan of its own. The conditions compare the pair of key and position, which only that
 *       index can answer: given a plain {@code key = ?}, PostgreSQL may rather walk along all positions, expecting to meet
 *       the key soon, and walk to the end if there is nothing new.
 *   <li>Of types with the commonest one, and of types in conversations: by a look at every record there, but at no more
 *       than {@link #LOOKED_AT_MAX}.
 * </ul>
 */
final class MatchingRecords {

    /** How many records are looked at, at the most, for those that have the right type. */
    static final int LOOKED_AT_MAX = 32_768;

    /** The only type without an index, see events_rare_type. */
    private static final EventType COMMONEST = EventType.MESSAGE_CREATED;

    private final EventFilter filter;
    private final SortOrder order;
    private final int limit;

    /** @param limit at most so many */
    MatchingRecords(EventFilter filter, SortOrder order, int limit) {
        this.filter = filter;
        this.order = order;
        this.limit = limit;
    }

    /** How far to look in one go for what lies up to a position: also where little matches, that shall end soon. */
    long endOf(long after, long upTo) {
        return looksAtOthers() ? Math.min(upTo, after + LOOKED_AT_MAX) : upTo;
    }

    private boolean looksAtOthers() {
        return !filter.types().isEmpty() && !typesHaveIndex();
    }

    private boolean typesHaveIndex() {
        return filter.conversationIds().isEmpty() && !filter.types().contains(COMMONEST);
    }

    /** Those after a position and up to another, not sorted. */
    Table<?> between(long after, long upTo) {
        if (!filter.conversationIds().isEmpty()) {
            return ofEach(EVENTS.CONVERSATION_ID, filter.conversationIds(), noCondition(), after, upTo);
        }
        if (!filter.types().isEmpty() && typesHaveIndex()) {
            Condition inIndex = EVENTS.TYPE.ne(inline(COMMONEST.wireName()));
            return ofEach(EVENTS.TYPE, types().toList(), inIndex, after, upTo);
        }
        return ofRightType(EVENTS.POSITION.gt(after).and(EVENTS.POSITION.le(upTo)), List.of())
                .asTable("matching");
    }

    private Table<?> ofEach(Field<String> column, Collection<String> keys, Condition condition, long after, long upTo) {
        Field<String> key = field(name("wanted", "key"), String.class);
        Condition range = row(column, EVENTS.POSITION)
                .gt(key, val(after))
                .and(row(column, EVENTS.POSITION).le(key, val(upTo)));
        Table<?> ofKey =
                lateral(ofRightType(range.and(condition), List.of(column)).asTable("of_key"));
        return select(ofKey.fields())
                .from(unnest(keys.toArray(String[]::new)).as("wanted", "key"))
                .crossJoin(ofKey)
                .orderBy(ofKey.field(EVENTS.POSITION).sort(order))
                .limit(limit)
                .asTable("matching");
    }

    /** @param before what stands in front of the position in the index that has the order */
    private Select<?> ofRightType(Condition range, List<Field<String>> before) {
        Stream<Field<?>> columns = Stream.concat(before.stream(), Stream.of(EVENTS.POSITION));
        Select<Record4<Long, String, String, String>> inRange = select(
                        EVENTS.POSITION, EVENTS.TYPE, EVENTS.CONVERSATION_ID, EVENTS.PAYLOAD)
                .from(EVENTS)
                .where(range)
                .orderBy(columns.map(column -> column.sort(order)).toList())
                .limit(looksAtOthers() ? LOOKED_AT_MAX : limit);
        if (!looksAtOthers()) {
            return inRange;
        }
        Table<?> lookedAt = inRange.asTable("looked_at");
        return selectFrom(lookedAt)
                .where(lookedAt.field(EVENTS.TYPE).in(types().toList()))
                .orderBy(lookedAt.field(EVENTS.POSITION).sort(order))
                .limit(limit);
    }

    private Stream<String> types() {
        return filter.types().stream().map(EventType::wireName).sorted();
    }
}
