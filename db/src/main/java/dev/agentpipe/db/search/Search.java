package dev.agentpipe.db.search;

import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static org.jooq.impl.DSL.count;

import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import dev.agentpipe.db.search.text.SearchQuery;
import dev.agentpipe.db.search.text.Snippet;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import org.jooq.DSLContext;
import org.jooq.TableField;
import org.jooq.impl.DSL;

/**
 * Finds conversations by what was said in them. Thread-safe; each call is one read-only transaction that sees one state of
 * the database.
 */
public final class Search {

    /** How far into the results somebody may page: what lies there is no answer to a question any more. */
    public static final int RESULTS_MAX = 10_000;

    /** Of the types, or models, that are counted. */
    private static final int KINDS_MAX = 1_000;

    private final DSLContext sql;
    private final DSLContext kinds;

    public enum Sort {
        RELEVANCE,
        CREATED_AT,
        STARTED_AT,
        TOTAL_COST,
        TOTAL_TOKENS,
        TOTAL_DURATION,
        TOTAL_MESSAGES
    }

    /** What the conversations must be like. Empty lists and nulls ask for nothing; borders are part of what they border. */
    public record Filters(
            List<String> statuses,
            List<String> agentTypes,
            List<String> models,
            Instant from,
            Instant to,
            BigDecimal costMin,
            BigDecimal costMax,
            Long tokensMin,
            Long tokensMax) {

        public static final Filters NONE =
                new Filters(List.of(), List.of(), List.of(), null, null, null, null, null, null);

        boolean isEmpty() {
            return equals(NONE);
        }
    }

    /**
     * @param query null to find all conversations that the filters let through
     * @param offset of the first result; not above {@link #RESULTS_MAX}
     */
    public record Request(SearchQuery query, Filters filters, Sort sort, boolean isDescending, int offset, int limit) {}

    /**
     * @param total so many were found
     * @param totalIsLowerBound whether there may be more: only the newest of very many matches were looked at
     * @param position all that the log says up to here was searched
     * @param isComplete whether that is all there is; else the index is still catching up
     */
    public record Results(
            List<FoundConversation> results, int total, boolean totalIsLowerBound, long position, boolean isComplete) {}

    public record FoundConversation(
            String id,
            String name,
            String status,
            String mode,
            String source,
            Instant createdAt,
            Instant startedAt,
            Instant completedAt,
            String initialPrompt,
            String summaryText,
            String summaryShortText,
            long totalMessages,
            long totalTokens,
            BigDecimal totalCost,
            BigDecimal totalDurationMs,
            List<Participant> participants,
            double score,
            int matches,
            List<Excerpt> excerpts,
            List<FoundMessage> messages) {}

    public record Participant(String agentType, String agentName, String model) {}

    /** @param field {@code name}, {@code initialPrompt} or {@code summary} */
    public record Excerpt(String field, Snippet snippet) {}

    public record FoundMessage(
            String id, String agentType, String agentName, String role, Instant createdAt, Snippet snippet) {}

    /** A type of agents, or a model, and how many participants have it. */
    public record Kind(String name, int count) {}

    public Search(DSLContext sql) {
        this.sql = Statements.named(sql, "search");
        this.kinds = Statements.named(sql, "search_kinds");
    }

    /** @throws dev.agentpipe.core.log.LogUnavailableException while PostgreSQL is away, or takes too long */
    public Results find(Request request) {
        try {
            return sql.transactionResult(
                    configuration -> new SearchTransaction(DSL.using(configuration), request).run());
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    /** The commonest first. */
    public List<Kind> agentTypes() {
        return kinds(CONVERSATION_AGENTS.AGENT_TYPE);
    }

    /** The commonest first. */
    public List<Kind> models() {
        return kinds(CONVERSATION_AGENTS.MODEL);
    }

    private List<Kind> kinds(TableField<?, String> column) {
        try {
            return kinds.select(column, count())
                    .from(CONVERSATION_AGENTS)
                    .where(column.isNotNull())
                    .groupBy(column)
                    .orderBy(count().desc(), column)
                    .limit(KINDS_MAX)
                    .fetch(row -> new Kind(row.value1(), row.value2()));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }
}
