package dev.agentpipe.db.conversations;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.val;

import dev.agentpipe.db.postgres.PostgresFailures;
import java.util.Map;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** How stored data are looked up: as one transaction, with plans made for the values that are asked for. */
final class ReadTransaction {

    /**
     * A plan for any value suits a rare and a common one equally badly. No compiling, which takes longer than these queries, and
     * no parallel workers: all processors for one reader would be none for the append. And no walk over a table, which
     * PostgreSQL takes to be cheaper than an index that is twice as small.
     */
    static final Map<String, String> SETTINGS = Map.of(
            "plan_cache_mode", "force_custom_plan",
            "jit", "off",
            "max_parallel_workers_per_gather", "0",
            "enable_seqscan", "off",
            "random_page_cost", "1.1");

    private ReadTransaction() {}

    static <T> T of(DSLContext sql, Function<DSLContext, T> work) {
        try {
            return sql.transactionResult(configuration -> {
                DSLContext transaction = DSL.using(configuration);
                transaction
                        .select(SETTINGS.entrySet().stream()
                                .map(one -> field("set_config({0}, {1}, true)", val(one.getKey()), val(one.getValue())))
                                .toList())
                        .fetch();
                return work.apply(transaction);
            });
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }
}
