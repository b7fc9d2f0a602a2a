package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS_WITH_TOTALS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static dev.agentpipe.db.generated.Tables.SEARCH_DOCUMENTS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.exists;
import static org.jooq.impl.DSL.noCondition;
import static org.jooq.impl.DSL.selectOne;

import dev.agentpipe.db.search.Search.Filters;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import org.jooq.Condition;
import org.jooq.DSLContext;
import org.jooq.Field;

/** The filters of a search as conditions. */
final class SearchFilter {

    private static final Field<OffsetDateTime> BEGUN =
            coalesce(CONVERSATIONS_WITH_TOTALS.STARTED_AT, CONVERSATIONS_WITH_TOTALS.FIRST_EVENT_AT);

    private final boolean isEmpty;
    private final Condition condition;

    SearchFilter(Filters filters) {
        this.isEmpty = filters.isEmpty();
        this.condition = condition(filters);
    }

    private static Condition condition(Filters filters) {
        Condition condition = noCondition();
        if (!filters.statuses().isEmpty()) {
            condition = condition.and(CONVERSATIONS_WITH_TOTALS.STATUS.in(filters.statuses()));
        }
        if (filters.from() != null) {
            condition = condition.and(BEGUN.ge(utc(filters.from())));
        }
        if (filters.to() != null) {
            condition = condition.and(BEGUN.le(utc(filters.to())));
        }
        if (filters.costMin() != null) {
            condition = condition.and(CONVERSATIONS_WITH_TOTALS.TOTAL_COST.ge(filters.costMin()));
        }
        if (filters.costMax() != null) {
            condition = condition.and(CONVERSATIONS_WITH_TOTALS.TOTAL_COST.le(filters.costMax()));
        }
        if (filters.tokensMin() != null) {
            condition = condition.and(CONVERSATIONS_WITH_TOTALS.TOTAL_TOKENS.ge(filters.tokensMin()));
        }
        if (filters.tokensMax() != null) {
            condition = condition.and(CONVERSATIONS_WITH_TOTALS.TOTAL_TOKENS.le(filters.tokensMax()));
        }
        // One participant that has both, the type and the model.
        Condition participant = noCondition();
        if (!filters.agentTypes().isEmpty()) {
            participant = participant.and(CONVERSATION_AGENTS.AGENT_TYPE.in(filters.agentTypes()));
        }
        if (!filters.models().isEmpty()) {
            participant = participant.and(CONVERSATION_AGENTS.MODEL.in(filters.models()));
        }
        if (!filters.agentTypes().isEmpty() || !filters.models().isEmpty()) {
            condition = condition.and(exists(selectOne()
                    .from(CONVERSATION_AGENTS)
                    .where(CONVERSATION_AGENTS.CONVERSATION_ID.eq(CONVERSATIONS_WITH_TOTALS.ID))
                    .and(participant)));
        }
        return condition;
    }

    private static OffsetDateTime utc(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    boolean isEmpty() {
        return isEmpty;
    }

    /** Of a conversation. */
    Condition ofConversation() {
        return condition;
    }

    /** Of a document, by its conversation. */
    Condition ofDocument() {
        return isEmpty
                ? noCondition()
                : exists(selectOne()
                        .from(CONVERSATIONS_WITH_TOTALS)
                        .where(CONVERSATIONS_WITH_TOTALS.ID.eq(SEARCH_DOCUMENTS.CONVERSATION_ID))
                        .and(condition));
    }

    /** Some conversations that pass. */
    List<String> passing(DSLContext sql, int max) {
        return sql.select(CONVERSATIONS_WITH_TOTALS.ID)
                .from(CONVERSATIONS_WITH_TOTALS)
                .where(condition)
                .limit(max)
                .fetch(CONVERSATIONS_WITH_TOTALS.ID);
    }

    /** Those of these that pass. */
    List<String> passing(DSLContext sql, Collection<String> ids) {
        return sql.select(CONVERSATIONS_WITH_TOTALS.ID)
                .from(CONVERSATIONS_WITH_TOTALS)
                .where(CONVERSATIONS_WITH_TOTALS.ID.in(ids).and(condition))
                .fetch(CONVERSATIONS_WITH_TOTALS.ID);
    }
}
