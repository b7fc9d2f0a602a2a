package dev.agentpipe.db;

import static dev.agentpipe.core.log.TestEvents.closed;
import static dev.agentpipe.core.log.TestEvents.logEntry;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.local.TestPostgres;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class DatabaseTest {

    private final String url = TestPostgres.newDatabase();

    private Database open() {
        return Database.open(TestPostgres.settings(url));
    }

    @Test
    void ping_answers() {
        try (Database database = open()) {
            assertTrue(database.ping().compareTo(Duration.ofSeconds(5)) < 0);
        }
    }

    @Test
    void poolState_withinItsBounds() {
        try (Database database = open()) {
            database.ping();
            database.eventLog().append(messages("c", "m", 1));
            Database.PoolState state = database.poolState();

            assertEquals(4, state.max());
            assertEquals(0, state.waiting());
            assertTrue(state.active() + state.idle() <= 4, state::toString);
        }
    }

    @Test
    void close_thenAnything_isUnavailable() {
        Database database = open();
        database.close();

        assertThrows(LogUnavailableException.class, database::ping);
        assertThrows(LogUnavailableException.class, () -> database.eventLog().state());
        assertThrows(LogUnavailableException.class, () -> database.eventLog().append(messages("c", "m", 1)));
    }

    @Test
    void append_whatCannotBeStored_isAnotherErrorAndStoresNothing() {
        try (Database database = open()) {
            Event poison = message("c", "poison", "a\u0000b");

            RuntimeException refused = assertThrows(
                    RuntimeException.class, () -> database.eventLog().append(List.of(message("c", "good", 1), poison)));
            assertFalse(refused instanceof LogUnavailableException);
            assertEquals(0, database.eventLog().state().head());
            assertEquals(
                    1,
                    database.eventLog().append(List.of(message("c", "good", 1))).head());
        }
    }

    @Test
    void idleConversations_areThoseWithoutAnyEventForSoLong() {
        try (Database database = open();
                TestRows rows = new TestRows(url)) {
            for (String id : List.of("fresh", "idle-b", "idle-a", "chatty", "closed", "purged")) {
                database.eventLog().append(List.of(message(id, id, 0)));
            }
            database.eventLog().append(List.of(closed("closed", CompletionStatus.COMPLETED, 5)));
            rows.run("update conversations set last_received_at = now() - interval '25 hours' where id <> 'fresh'");
            rows.run("update events set received_at = now() - interval '25 hours' where conversation_id <> 'fresh'");
            rows.run("delete from events where conversation_id = 'purged'");
            database.eventLog().append(List.of(logEntry("chatty", "still here", 6)));

            List<IdleConversation> idle = database.idleConversations(Duration.ofHours(24), 10);

            assertEquals(
                    List.of("idle-a", "idle-b", "purged"),
                    idle.stream().map(IdleConversation::conversationId).toList());
            String received = rows.value("select extract(epoch from received_at)::numeric from events"
                    + " where conversation_id = 'idle-a'");
            assertEquals(
                    new BigDecimal(received).longValue(),
                    idle.get(0).lastReceivedAt().getEpochSecond());
            assertEquals(List.of(), database.idleConversations(Duration.ofHours(26), 10));
            assertEquals(1, database.idleConversations(Duration.ofHours(24), 1).size());
        }
    }

    /** Two servers with one log: positions in the order of commit, each event once, sums right. */
    @Test
    void append_byTwoServers_isOneLog() throws Exception {
        int batches = 60;
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (Database one = open();
                Database other = open();
                TestRows rows = new TestRows(url)) {
            List<Future<?>> writers = new ArrayList<>();
            for (EventLog log : List.of(one.eventLog(), other.eventLog())) {
                Callable<Object> write = () -> {
                    for (int batch = 0; batch < batches; batch++) {
                        List<Event> events = new ArrayList<>(messages("shared", "both-" + batch + "-", 5));
                        events.addAll(messages("c" + batch % 3, System.identityHashCode(log) + "-" + batch + "-", 5));
                        log.append(events);
                    }
                    return null;
                };
                writers.add(threads.submit(write));
            }
            Future<List<Long>> reader = threads.submit(() -> follow(one.eventLog(), writers));
            for (Future<?> writer : writers) {
                writer.get();
            }
            int expected = batches * 5 * 3;
            List<Long> seen = reader.get();
            assertEquals(expected, seen.size());
            assertEquals(seen, seen.stream().sorted().distinct().toList());
            assertEquals(String.valueOf(expected), rows.value("select count(*) from events"));
            assertEquals(String.valueOf(expected), rows.value("select sum(message_count) from conversations"));
            assertEquals(
                    String.valueOf(batches * 5),
                    rows.value("select message_count from conversations where id = 'shared'"));
        } finally {
            threads.shutdownNow();
        }
    }

    /** A reader that trusts the head: what it passed must never be filled in later. */
    private static List<Long> follow(EventLog log, List<Future<?>> writers) {
        List<Long> seen = new ArrayList<>();
        long cursor = 0;
        boolean done;
        do {
            done = writers.stream().allMatch(Future::isDone);
            long head = log.state().head();
            while (cursor < head) {
                EventLog.Page page = log.read(cursor, head, EventFilter.ALL, 50, Integer.MAX_VALUE);
                page.records().stream().map(LogRecord::position).forEach(seen::add);
                cursor = page.through();
            }
        } while (!done);
        return seen;
    }

    @Test
    void append_whileAnOldTransactionIsOpen_leavesNoTrailOfOldVersions() {
        try (Database database = open();
                TestRows rows = new TestRows(url);
                TestRows old = new TestRows(url)) {
            old.run("begin isolation level repeatable read");
            old.value("select count(*) from event_log");
            for (int i = 0; i < 50; i++) {
                database.eventLog().append(List.of(TestEvents.bridgeTest("x" + i)));
            }
            assertEquals("(0,1)", rows.value("select ctid from event_log"));
            old.run("rollback");
        }
    }
}
