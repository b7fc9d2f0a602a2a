package dev.agentpipe.db.conversations;

import static dev.agentpipe.core.event.Event.CompletionStatus.COMPLETED;
import static dev.agentpipe.core.log.TestEvents.completed;
import static dev.agentpipe.core.log.TestEvents.logEntry;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class ConversationDeletionTest {

    private String url;
    private Database database;
    private EventLog log;
    private TestRows rows;

    @BeforeEach
    void open() {
        url = TestPostgres.newDatabase();
        database = Database.open(TestPostgres.settings(url));
        log = database.eventLog();
        rows = new TestRows(url);
    }

    @AfterEach
    void close() {
        rows.close();
        database.close();
    }

    private String count(String table) {
        return rows.value("select count(*) from " + table);
    }

    @Test
    void delete_leavesNothingButTheEventThatTellsOfIt() {
        log.append(List.of(started("gone", 1), message("kept", "k1", 2), message("gone", "g1", 3)));
        log.append(List.of(logEntry("gone", "entry", 4), completed("gone", COMPLETED, 5, 7)));

        assertEquals(Optional.of(6L), database.conversations().delete("gone"));

        for (String table : List.of("events", "messages", "conversation_agents")) {
            assertEquals(
                    table.equals("events") ? "1" : "0",
                    rows.value("select count(*) from " + table + " where conversation_id = 'gone'"));
        }
        assertEquals("0", count("deletions"));
        assertEquals("kept", rows.value("select string_agg(id, ' ') from conversations"));
        List<LogRecord> records = log.read(0, 6, EventFilter.ALL, 10, 1 << 20).records();
        assertEquals(List.of(2L, 6L), records.stream().map(LogRecord::position).toList());
        assertEquals(EventType.CONVERSATION_DELETED, records.get(1).type());
        assertEquals("gone", records.get(1).conversationId());
        assertEquals(6, log.state().head());
    }

    @Test
    void delete_whatIsNotThere_changesNothing() {
        log.append(List.of(message("kept", "k1", 2)));

        assertEquals(Optional.empty(), database.conversations().delete("gone"));

        assertEquals(1, log.state().head());
    }

    @Test
    void repeat_ofWhatWasDeleted_isADuplicate() {
        List<AppendResult> stored = log.append(List.of(started("gone", 1), message("gone", "g1", 3)))
                .results();
        database.conversations().delete("gone");

        List<AppendResult> repeated = log.append(
                        List.of(started("gone", 1), message("gone", "g1", 3), message("gone", "g1", "other content")))
                .results();

        assertEquals(new AppendResult.Duplicate(((AppendResult.Stored) stored.get(0)).position()), repeated.get(0));
        assertInstanceOf(AppendResult.Duplicate.class, repeated.get(1));
        assertEquals("0", count("conversations"));
    }

    /** In several steps, while others append and go on with the same conversation. */
    @Test
    void delete_large_isDoneInSteps_andSparesWhatCameLater() {
        int count = 2 * ConversationDeletion.ROWS_MAX + 1;
        log.append(TestEvents.messages("gone", "g", count));
        rows.run("create table gone_at_once (rows bigint)");
        rows.run("create function note() returns trigger language plpgsql as $$ begin"
                + " insert into gone_at_once select count(*) from gone; return null; end $$");
        for (String table : List.of("messages", "events")) {
            rows.run("create trigger note after delete on " + table
                    + " referencing old table as gone for each statement execute function note()");
        }
        // Between the first step and the others: what a running conversation would do.
        rows.run("create function go_on() returns trigger language plpgsql as $$ begin"
                + " if not exists (select from messages where message_id = 'later') then"
                + " insert into messages (conversation_id, position, message_id, content, created_at)"
                + " values ('gone', 1000000, 'later', 'x', now());"
                + " insert into events (position, type, conversation_id, event_at, payload)"
                + " values (1000000, 'message.created', 'gone', now(), '{}');"
                + " end if; return null; end $$");
        rows.run("create trigger go_on after delete on messages for each statement execute function go_on()");

        assertEquals(Optional.of(count + 1L), database.conversations().delete("gone"));

        assertEquals(
                "1000 1000 1 1000 1000 1",
                rows.value("select string_agg(rows::text, ' ' order by ctid) from gone_at_once"));
        assertEquals("later", rows.value("select string_agg(message_id, ' ') from messages"));
        assertEquals(
                (count + 1) + " 1000000",
                rows.value("select string_agg(position::text, ' ' order by position) from events"));
    }

    @Test
    void finish_goesOnWhereAServerWasKilled() {
        log.append(List.of(message("gone", "g1", 1), message("gone", "g2", 2), message("kept", "k1", 3)));
        rows.run("create function fail() returns trigger language plpgsql as $$ begin raise 'killed'; end $$");
        rows.run("create trigger fail before delete on events for each statement execute function fail()");
        try {
            database.conversations().delete("gone");
        } catch (RuntimeException expected) {
            rows.run("drop trigger fail on events");
        }
        assertEquals("gone", rows.value("select conversation_id from deletions"));
        assertTrue(database.conversations().find("gone", null, 0, 1, 1).isEmpty());

        database.conversations().finishDeletions(); // too soon: it may still be under way
        assertEquals("4", count("events"));
        rows.run("update deletions set begun_at = begun_at - interval '2 minutes'");
        database.conversations().finishDeletions();

        assertEquals("2", count("events"));
        assertEquals("0", count("deletions"));
        assertEquals("k1", rows.value("select string_agg(message_id, ' ') from messages"));
    }
}
