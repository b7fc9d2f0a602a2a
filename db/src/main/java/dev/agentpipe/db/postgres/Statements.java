package dev.agentpipe.db.postgres;

import org.jooq.DSLContext;
import org.jooq.ExecuteContext;
import org.jooq.ExecuteListener;
import org.jooq.impl.DSL;

/** Names statements by what they are for, so that what they take can be told. */
public final class Statements {

    private Statements() {}

    /** Has all that is named with this context, or with one made from it, told to somebody. */
    public static void tell(DSLContext sql, DatabaseTelemetry telemetry) {
        sql.configuration().data(DatabaseTelemetry.class, telemetry);
    }

    /** The context under a name; the context itself if nobody is told. */
    public static DSLContext named(DSLContext sql, String name) {
        return sql.configuration().data(DatabaseTelemetry.class) instanceof DatabaseTelemetry telemetry
                ? DSL.using(sql.configuration().deriveAppending(() -> new Timing(telemetry, name)))
                : sql;
    }

    /** Of one execution, by one thread. */
    private static final class Timing implements ExecuteListener {
        private final DatabaseTelemetry telemetry;
        private final String name;
        private boolean isExecuted;
        private long startNanos;

        Timing(DatabaseTelemetry telemetry, String name) {
            this.telemetry = telemetry;
            this.name = name;
        }

        @Override
        public void executeStart(ExecuteContext context) {
            isExecuted = true;
            startNanos = System.nanoTime();
        }

        @Override
        public void end(ExecuteContext context) {
            if (isExecuted) { // else there was no connection
                telemetry.executed(name, System.nanoTime() - startNanos, context.exception() != null);
            }
        }
    }
}
