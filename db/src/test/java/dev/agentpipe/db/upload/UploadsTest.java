package dev.agentpipe.db.upload;

import static dev.agentpipe.core.log.TestEvents.completed;
import static dev.agentpipe.core.log.TestEvents.logEntry;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.UploadLog;
import dev.agentpipe.core.log.UploadOutcome;
import dev.agentpipe.core.log.UploadOutcome.Conflicts;
import dev.agentpipe.core.log.UploadOutcome.Stored;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.ControlledPostgres;
import dev.agentpipe.db.local.TestPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Uploads beside appends: who comes first, and what is left of an upload that fails. */
final class UploadsTest {

    /** Each task has one: the common pool runs them one after the other on two processors, from Java 25 on. */
    private static final Executor THREADS = task -> new Thread(task).start();

    private static String url;
    private static Database database;
    private static UploadLog uploads;
    private static TestRows rows;

    private final String id = "c-" + UUID.randomUUID();

    @BeforeAll
    static void open() {
        url = TestPostgres.newDatabase();
        database = Database.open(TestPostgres.settings(url));
        uploads = database.uploads();
        rows = new TestRows(url);
    }

    @AfterAll
    static void close() {
        rows.close();
        database.close();
    }

    private static UploadOutcome upload(List<Event> events) {
        try {
            return uploads.storeEvents(sink -> {
                for (int i = 0; i < events.size(); i++) {
                    sink.accept(i + 1, events.get(i));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Stored stored(List<Event> events) {
        return assertInstanceOf(Stored.class, upload(events));
    }

    /** What comes by itself between the two looks at what is known. */
    private UploadOutcome uploadAfter(Event live, List<Event> events) throws Exception {
        CompletableFuture<?> append;
        CompletableFuture<UploadOutcome> upload;
        try (Connection other = TestPostgres.connect(url)) {
            other.setAutoCommit(false);
            other.createStatement().execute("select from event_log for update");
            append = CompletableFuture.runAsync(() -> database.eventLog().append(List.of(live)), THREADS);
            awaitWaiting(1);
            upload = CompletableFuture.supplyAsync(() -> upload(events), THREADS);
            awaitWaiting(2);
            other.rollback();
        }
        append.get(10, TimeUnit.SECONDS);
        return upload.get(10, TimeUnit.SECONDS);
    }

    private static void awaitWaiting(int count) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!rows.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                        + " and datname = current_database()")
                .equals(Integer.toString(count))) {
            assertTrue(System.nanoTime() < deadline, "waiting for the lock");
            Thread.onSpinWait();
        }
    }

    @Test
    void event_thatComesWhileItsUploadIsStaged_isStoredOnce() throws Exception {
        List<Event> events =
                List.of(started(id, 0), message(id, id + 1, 1), logEntry(id, "a", 2), message(id, id + 2, 3));

        UploadOutcome outcome = uploadAfter(events.get(1), events);

        assertEquals(new Stored(List.of(id), 1, 2, 1, head()), outcome);
        assertEquals("2", rows.value("select message_count from conversations where id = '" + id + "'"));
        assertEquals("2", rows.value("select count(*) from messages where conversation_id = '" + id + "'"));
        assertEquals("4", rows.value("select count(*) from events where conversation_id = '" + id + "'"));
        assertEquals("cli-stream", rows.value("select source from conversations where id = '" + id + "'"));
        assertEquals("0", rows.value("select count(*) from messages where position <= 0"));
    }

    @Test
    void everything_thatComesWhileItsUploadIsStaged_isNothingNew() throws Exception {
        long before = head();
        UploadOutcome outcome = uploadAfter(message(id, id + 1, 1), List.of(message(id, id + 1, 1)));

        assertEquals(new Stored(List.of(id), 0, 0, 1, 0), outcome);
        assertEquals(before + 1, head());
    }

    @Test
    void message_thatComesWithOtherContentMeanwhile_isAConflict() throws Exception {
        UploadOutcome outcome = uploadAfter(
                message(id, id + 1, "live"), List.of(message(id, id, "first"), message(id, id + 1, "uploaded")));

        assertEquals(new Conflicts(List.of(2)), outcome);
        assertEquals("1", rows.value("select count(*) from messages where conversation_id = '" + id + "'"));
    }

    @Test
    void events_ofManyBatches_areReadInTheirOrder() {
        List<Event> events = new ArrayList<>(List.of(started(id, 0)));
        for (int i = 0; i < 1_700; i++) {
            events.add(message(id, id + "-" + i, i));
        }
        events.add(completed(id, CompletionStatus.COMPLETED, 2_000, 1));
        long before = head();

        Stored stored = stored(events);

        assertEquals(before + events.size(), stored.head());
        List<String> expected =
                events.stream().map(event -> text(event.envelope().payload())).toList();
        List<String> read =
                database.eventLog().read(before, stored.head(), EventFilter.ALL, 10_000, 100 << 20).records().stream()
                        .map(LogRecord::payload)
                        .map(UploadsTest::text)
                        .toList();
        assertEquals(expected, read);
        assertEquals(
                "1700",
                rows.value("select count(*) from messages m join events e using (position)"
                        + " where m.conversation_id = '" + id + "' and strpos(e.payload, m.message_id) > 0"));
        assertEquals(
                "1", rows.value("select count(distinct xmin::text) from events where conversation_id = '" + id + "'"));
    }

    private static String text(byte[] payload) {
        return new String(payload, java.nio.charset.StandardCharsets.UTF_8);
    }

    @Test
    void source_thatFailsInTheMiddle_leavesNothing() {
        long before = head();
        IOException failure = assertThrows(
                IOException.class,
                () -> uploads.storeEvents(sink -> {
                    for (int i = 0; i < 1_000; i++) {
                        sink.accept(i, message(id, id + i, i));
                    }
                    throw new IOException("the disk is gone");
                }));

        assertEquals("the disk is gone", failure.getMessage());
        assertEquals("0", rows.value("select count(*) from messages where conversation_id = '" + id + "'"));
        assertEquals(before, head());
        assertEquals(1, stored(List.of(message(id, id + 1, 1))).messages());
    }

    @Test
    void uploads_whileTheDatabaseIsAway_areUnavailableUntilItIsBack() {
        try (ControlledPostgres postgres = ControlledPostgres.start(Map.of());
                Database other = Database.open(TestPostgres.settings(postgres.newDatabase()))) {
            UploadLog its = other.uploads();
            List<Event> events = List.of(message(id, id, 1));
            UploadLog.Source source = sink -> sink.accept(1, events.get(0));
            postgres.stop();
            assertThrows(LogUnavailableException.class, () -> its.storeEvents(source));
            postgres.start();
            UploadOutcome outcome = null;
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (outcome == null) {
                try {
                    outcome = its.storeEvents(source);
                } catch (LogUnavailableException stillAway) {
                    assertTrue(System.nanoTime() < deadline, stillAway::toString);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            assertEquals(1, assertInstanceOf(Stored.class, outcome).messages());
        }
    }

    private static long head() {
        return database.eventLog().state().head();
    }
}
