package dev.agentpipe.db;

import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.val;

import java.util.function.Function;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.impl.DSL;

/** How stored data are looked up: as one transaction, with plans made for the values that are asked for. */
final class ReadTransaction {

    private ReadTransaction() {}

    /**
     * A plan for any value suits a rare and a common one equally badly. No compiling, which takes longer than these queries, and
     * no parallel workers: all processors for one reader would be none for the append.
     */
    static <T> T of(DSLContext sql, Function<DSLContext, T> work) {
        try {
            return sql.transactionResult(configuration -> {
                DSLContext transaction = DSL.using(configuration);
                transaction
                        .select(
                                set("plan_cache_mode", "force_custom_plan"),
                                set("jit", "off"),
                                set("max_parallel_workers_per_gather", "0"))
                        .fetch();
                return work.apply(transaction);
            });
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    private static Field<?> set(String setting, String value) {
        return field("set_config({0}, {1}, true)", Object.class, val(setting), val(value));
    }
}
