package dev.agentpipe.db.conversations;

import static dev.agentpipe.db.generated.Tables.CONVERSATIONS;
import static dev.agentpipe.db.generated.Tables.CONVERSATION_AGENTS;
import static dev.agentpipe.db.generated.Tables.DELETIONS;
import static dev.agentpipe.db.generated.Tables.EVENTS;
import static dev.agentpipe.db.generated.Tables.EVENT_LOG;
import static dev.agentpipe.db.generated.Tables.MESSAGES;
import static org.jooq.impl.DSL.currentOffsetDateTime;
import static org.jooq.impl.DSL.max;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.db.postgres.Expressions;
import dev.agentpipe.db.postgres.PostgresFailures;
import dev.agentpipe.db.postgres.Statements;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Field;
import org.jooq.Table;
import org.jooq.TableField;
import org.jooq.impl.DSL;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Deletes conversations, in two parts. The first is a short transaction under the lock of the appends, whatever the size of the
 * conversation: its row and its participants go, so that nobody finds it any more, an event is appended that tells of it, and
 * what is still to be done is noted. The second takes messages and events away in steps that hold up nobody. Their
 * positions stay holes in the log. A server that is killed in between leaves the note.
 *
 * <p>Identities of events stay: one that is sent again is a repeat, and brings nothing back. What is sent for the first time
 * begins a new conversation of that id.
 */
final class ConversationDeletion {

    /** Rows that a step deletes: some milliseconds of work. */
    static final int ROWS_MAX = 1_000;

    /** A deletion that was begun longer ago has lost its server, or has much to do: a second one at work does no harm. */
    private static final Duration LEFT_BEHIND = Duration.ofMinutes(1);

    private final DSLContext sql;

    ConversationDeletion(DSLContext sql) {
        this.sql = Statements.named(sql, "conversation_delete");
    }

    Optional<Long> delete(String id) {
        try {
            Optional<Long> position = sql.transactionResult(configuration -> hide(DSL.using(configuration), id));
            position.ifPresent(upTo -> clear(id, upTo));
            return position;
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }

    private static Optional<Long> hide(DSLContext transaction, String id) {
        transaction.select(EVENT_LOG.EPOCH).from(EVENT_LOG).forUpdate().fetch();
        int found = transaction
                .deleteFrom(CONVERSATIONS)
                .where(CONVERSATIONS.ID.eq(id))
                .execute();
        if (found == 0) {
            return Optional.empty();
        }
        transaction
                .deleteFrom(CONVERSATION_AGENTS)
                .where(CONVERSATION_AGENTS.CONVERSATION_ID.eq(id))
                .execute();
        // A statement of its own, after the lock: it sees what was committed before the lock was had.
        long position = transaction.select(Expressions.LOG_HEAD).fetchSingle().value1() + 1;
        OffsetDateTime now =
                transaction.select(currentOffsetDateTime()).fetchSingle().value1();
        transaction
                .insertInto(EVENTS)
                .columns(EVENTS.POSITION, EVENTS.TYPE, EVENTS.CONVERSATION_ID, EVENTS.EVENT_AT, EVENTS.PAYLOAD)
                .values(position, EventType.CONVERSATION_DELETED.wireName(), id, now, payload(id, now))
                .execute();
        transaction
                .insertInto(DELETIONS)
                .columns(DELETIONS.CONVERSATION_ID, DELETIONS.POSITION)
                .values(id, position)
                .onConflict(DELETIONS.CONVERSATION_ID)
                .doUpdate()
                .set(DELETIONS.POSITION, position)
                .execute();
        return Optional.of(position);
    }

    private static String payload(String id, OffsetDateTime at) {
        ObjectNode event = JsonMapper.shared().createObjectNode();
        event.put("type", EventType.CONVERSATION_DELETED.wireName());
        event.put("timestamp", at.toInstant().toString());
        event.putObject("data").put("conversation_id", id);
        return event.toString();
    }

    /** What the conversation had below this position. */
    private void clear(String id, long position) {
        clear(MESSAGES, MESSAGES.CONVERSATION_ID, MESSAGES.POSITION, id, position);
        clear(EVENTS, EVENTS.CONVERSATION_ID, EVENTS.POSITION, id, position);
        sql.deleteFrom(DELETIONS)
                .where(DELETIONS.CONVERSATION_ID.eq(id))
                .and(DELETIONS.POSITION.eq(position))
                .execute();
    }

    private void clear(
            Table<?> table, TableField<?, String> conversation, TableField<?, Long> at, String id, long before) {
        Field<Long> found = DSL.field(DSL.name("next", at.getName()), Long.class);
        long cleared = 0;
        while (true) {
            Long end = sql.select(max(found))
                    .from(sql.select(at)
                            .from(table)
                            .where(conversation.eq(id))
                            .and(at.gt(cleared))
                            .and(at.lt(before))
                            .orderBy(conversation, at)
                            .limit(ROWS_MAX)
                            .asTable("next"))
                    .fetchSingle()
                    .value1();
            if (end == null) {
                return;
            }
            sql.deleteFrom(table)
                    .where(conversation.eq(id))
                    .and(at.gt(cleared))
                    .and(at.le(end))
                    .execute();
            cleared = end;
        }
    }

    void finish() {
        try {
            sql.selectFrom(DELETIONS)
                    .where(DELETIONS.BEGUN_AT.lt(Expressions.ago(LEFT_BEHIND)))
                    .fetch()
                    .forEach(left -> clear(left.getConversationId(), left.getPosition()));
        } catch (RuntimeException failed) {
            throw PostgresFailures.translated(failed);
        }
    }
}
