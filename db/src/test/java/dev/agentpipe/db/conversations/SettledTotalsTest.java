package dev.agentpipe.db.conversations;

import static dev.agentpipe.core.event.Event.CompletionStatus.COMPLETED;
import static dev.agentpipe.core.log.TestEvents.closed;
import static dev.agentpipe.core.log.TestEvents.completed;
import static dev.agentpipe.core.log.TestEvents.failed;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What lists are sorted by: there for conversations that are not ACTIVE, and at no cost to the messages of those that are. */
final class SettledTotalsTest {

    private static final String SETTLED =
            "select concat_ws(' ', settled_messages, settled_tokens, settled_cost, settled_duration_ms) from conversations";

    @Test
    void settledTotals_followWhatChangesThem() {
        String url = TestPostgres.newDatabase();
        try (Database database = Database.open(TestPostgres.settings(url));
                TestRows rows = new TestRows(url)) {
            append(database, started("c", 1), message("c", "1", 2));
            assertEquals("", rows.value(SETTLED));
            append(database, closed("c", COMPLETED, 10));
            assertEquals("1 155 0.0005225 58", rows.value(SETTLED));
            append(database, message("c", "late", 3));
            assertEquals("2 310 0.0010450 116", rows.value(SETTLED));
            append(database, completed("c", COMPLETED, 9, 7)); // reports, and is not the newest
            assertEquals("7 700 0.02481325 4344.039984000", rows.value(SETTLED));
            append(database, message("c", "later", 4));
            assertEquals("7 700 0.02481325 4344.039984000", rows.value(SETTLED));
            append(database, message("c", "newer", 11));
            assertEquals("", rows.value(SETTLED));
            append(database, failed("c", "why", 12));
            assertEquals("7 700 0.02481325 4344.039984000", rows.value(SETTLED));
        }
    }

    @Test
    void settledTotals_ofAConversationThatBeginsWithItsEnd() {
        String url = TestPostgres.newDatabase();
        try (Database database = Database.open(TestPostgres.settings(url));
                TestRows rows = new TestRows(url)) {
            append(database, closed("c", COMPLETED, 10));
            assertEquals("0 0 0 0", rows.value(SETTLED));
        }
    }

    /** Else each message would write to all indexes of its conversation. */
    @Test
    void messagesOfALiveConversation_changeItsRowAlone() {
        String url = TestPostgres.newDatabase();
        try (TestRows rows = new TestRows(url)) {
            try (Database database = Database.open(TestPostgres.settings(url))) {
                append(database, started("c", 1));
                for (int i = 0; i < 100; i++) {
                    append(database, message("c", "m" + i, 2 + i));
                }
            }
            // A connection tells what it has done when it ends.
            long deadline = System.nanoTime() + 20_000_000_000L;
            while (!rows.value("select count(*) from pg_stat_activity where datname = current_database()")
                    .equals("1")) {
                assertTrue(System.nanoTime() < deadline);
                Thread.onSpinWait();
            }
            assertEquals(
                    "101 100", // all but the start
                    rows.value("select n_tup_upd || ' ' || n_tup_hot_upd from pg_stat_user_tables"
                            + " where relname = 'conversations'"));
        }
    }

    private static void append(Database database, Event... events) {
        database.eventLog().append(List.of(events));
    }
}
