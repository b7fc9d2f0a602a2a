package dev.agentpipe.db.postgres;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static org.jooq.impl.DSL.coalesce;
import static org.jooq.impl.DSL.field;
import static org.jooq.impl.DSL.val;

import java.time.Duration;
import java.time.OffsetDateTime;
import org.jooq.Field;

/** SQL expressions that mean the same wherever they stand. */
public final class Expressions {

    /** The greatest position in the log. */
    public static final Field<Long> LOG_HEAD = field("log_head()", Long.class);

    private Expressions() {}

    /** When a conversation began: the key of an index, which only this very expression finds. */
    public static Field<OffsetDateTime> startedAt() {
        return coalesce(CONVERSATIONS.STARTED_AT, CONVERSATIONS.FIRST_EVENT_AT);
    }

    /** By PostgreSQL's clock, which also stamped the events: this node's may differ. */
    public static Field<OffsetDateTime> ago(Duration duration) {
        return field("now() - {0} * interval '1 millisecond'", OffsetDateTime.class, val(duration.toMillis()));
    }
}
