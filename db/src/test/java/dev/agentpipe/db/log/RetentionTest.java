package dev.agentpipe.db.log;

import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.EventLog.Page;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class RetentionTest {

    private static final Duration KEEP = Duration.ofDays(30);

    private final String url = TestPostgres.newDatabase();
    private final Database database = Database.open(TestPostgres.settings(url));
    private final EventLog log = database.eventLog();
    private final TestRows rows = new TestRows(url);

    @AfterEach
    void close() {
        rows.close();
        database.close();
    }

    private void append(String prefix, int count) {
        for (int from = 0; from < count; from += 1_000) {
            log.append(messages("c", prefix + from + "-", Math.min(1_000, count - from)));
        }
    }

    private void age(String which, int days) {
        rows.run("update events set received_at = now() - interval '" + days + " days' where " + which);
    }

    /** What each step did, until there was nothing left to do. */
    private List<Retention.Trimmed> trimAll(Database by, Runnable betweenSteps) {
        List<Retention.Trimmed> steps = new ArrayList<>();
        Retention.Trimmed step = by.retention().step(KEEP);
        while (!step.isEmpty()) {
            steps.add(step);
            betweenSteps.run();
            step = by.retention().step(KEEP);
        }
        return steps;
    }

    private static int events(List<Retention.Trimmed> steps) {
        return steps.stream().mapToInt(Retention.Trimmed::events).sum();
    }

    private long count(String table) {
        return Long.parseLong(rows.value("select count(*) from " + table));
    }

    @Test
    void oldEvents_goInSmallSteps_andNothingElseGoes() {
        append("m", 2_300);
        age("position <= 1800", 31);

        List<Long> counts = new ArrayList<>(List.of(count("events")));
        List<Retention.Trimmed> steps = trimAll(database, () -> counts.add(count("events")));

        for (int i = 0; i < steps.size(); i++) {
            long gone = counts.get(i) - counts.get(i + 1);
            assertEquals(gone, steps.get(i).events());
            assertTrue(gone <= Retention.ROWS_MAX, () -> gone + " in one step");
        }
        assertEquals(
                List.of(0, 500, 500, 500, 300),
                steps.stream().map(Retention.Trimmed::events).toList());
        assertTrue(steps.get(0).floorMoved(), "before anything is deleted");
        assertEquals(new LogState(log.state().epoch(), 1_800, 2_300), log.state());
        assertEquals("1801", rows.value("select min(position) from events"));
        assertEquals(2_300, count("messages"));
        assertEquals(2_300, count("event_identities"));
        assertEquals("2300", rows.value("select message_count from conversations"));
        assertTrue(trimAll(database, () -> {}).isEmpty(), "nothing more is old");
    }

    @Test
    void floor_movesOverSoManyEventsAtATime() {
        append("m", Retention.FLOOR_ROWS_MAX + 700);
        age("true", 31);

        List<Retention.Trimmed> steps = trimAll(database, () -> {});

        List<Long> floors = steps.stream()
                .filter(Retention.Trimmed::floorMoved)
                .map(Retention.Trimmed::floor)
                .toList();
        assertEquals(List.of(10_000L, 10_700L), floors);
        assertEquals(10_700, events(steps));
    }

    @Test
    void largePayloads_goInStepsOfFewer() {
        rows.run("alter table events alter payload set storage external");
        append("m", 20);
        rows.run("update events set payload = repeat('x', 300000)");
        age("true", 31);

        List<Integer> steps = trimAll(database, () -> {}).stream()
                .map(Retention.Trimmed::events)
                .toList();

        assertEquals(List.of(0, 4, 4, 4, 4, 4), steps);
    }

    @Test
    void everythingOld_leavesTheHeadAndItsRow() {
        append("m", 1_200);
        age("true", 31);
        assertEquals(1_200, events(trimAll(database, () -> {})));

        assertEquals(new LogState(log.state().epoch(), 1_200, 1_200), log.state());
        assertEquals(0, count("events"));
        assertEquals("0", rows.value("select head_min from event_log"));
        assertEquals(1_200, log.append(messages("c", "next", 1)).headBefore());
        assertFalse(log.read(1_200, 1_201, EventFilter.ALL, 10, 1_000).hasLost(1_200));
    }

    @Test
    void eventDeleted_isStillKnown() {
        append("m", 10);
        age("position <= 5", 31);
        trimAll(database, () -> {});

        List<AppendResult> again = log.append(messages("c", "m0-", 10)).results();

        List<AppendResult> known = LongStream.rangeClosed(1, 10)
                .<AppendResult>mapToObj(AppendResult.Duplicate::new)
                .toList();
        assertEquals(known, again);
    }

    /** Clocks are set, and transactions begin before they wait for their turn. */
    @Test
    void eventOlderThanThoseBefore_waitsForThem() {
        append("m", 10);
        age("position in (1, 2, 4, 5)", 31);
        trimAll(database, () -> {});

        assertEquals(2, log.state().floor());
        assertEquals(8, count("events"));
    }

    /** Whoever appends holds the lock of event_log's row; rows are deleted all the same, so appends need not wait either. */
    @Test
    void deletion_needsNoLockOfTheAppends() {
        append("m", 1_000);
        age("true", 31);
        assertTrue(database.retention().step(KEEP).floorMoved());

        rows.run("begin");
        rows.value("select head_min from event_log for update");
        assertEquals(500, database.retention().step(KEEP).events());
        assertEquals(500, database.retention().step(KEEP).events());
        rows.run("rollback");
        assertTrue(database.retention().step(KEEP).isEmpty());
    }

    @Test
    void appends_betweenSteps_goOnAtTheHead() {
        append("m", 2_000);
        age("true", 31);
        int[] appended = {0};

        List<Retention.Trimmed> steps = trimAll(database, () -> {
            append("more" + appended[0]++, 1);
            assertEquals(2_000 + appended[0], log.state().head());
        });

        assertEquals(5, appended[0]);
        assertEquals(2_000, events(steps));
        assertEquals(5, count("events"));
    }

    @Test
    void killedInTheMiddle_isFinishedByTheNext() {
        append("m", 1_700);
        age("position <= 1600", 31);
        try (Database killed = Database.open(TestPostgres.settings(url))) {
            killed.retention().step(KEEP);
            killed.retention().step(KEEP);
        }
        assertEquals(1_200, count("events"));
        assertEquals(1_600, log.state().floor());

        assertEquals(1_100, events(trimAll(database, () -> {})));
        assertEquals(100, count("events"));
    }

    /** What a step has deleted may come back when PostgreSQL crashes: it does not wait for the disk. */
    @Test
    void rowsBelowTheFloor_goWheneverTheyAppear() {
        append("m", 1_000);
        age("position <= 600", 31);
        trimAll(database, () -> {});
        rows.run("insert into events (position, type, event_at, payload) values (7, 'bridge.test', now(), '{}')");

        assertEquals(1, events(trimAll(database, () -> {})));
    }

    @Test
    void ofSeveralServers_oneWorks() {
        append("m", 1_000);
        age("true", 31);
        rows.run("begin");
        rows.value("select pg_advisory_xact_lock(" + Retention.LOCK + ")::text");

        assertTrue(database.retention().step(KEEP).isEmpty());
        rows.run("rollback");
        assertEquals(1_000, events(trimAll(database, () -> {})));
    }

    @Test
    void severalServersAtOnce_deleteEachEventOnce() throws Exception {
        append("m", 12_000);
        age("position <= 11000", 31);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Database other = Database.open(TestPostgres.settings(url))) {
            List<Future<Integer>> runs = new ArrayList<>();
            for (Database one : List.of(database, other)) {
                runs.add(threads.submit(() -> {
                    int events = 0;
                    try (TestRows look = new TestRows(url)) {
                        while (!look.value("select count(*) from events").equals("1000")) {
                            events += one.retention().step(KEEP).events();
                        }
                    }
                    return events;
                }));
            }
            assertEquals(11_000, runs.get(0).get() + runs.get(1).get());
        } finally {
            threads.shutdownNow();
        }
        assertEquals(1_000, count("events"));
        assertEquals(11_000, log.state().floor());
    }

    /** Wherever a reader stands while events go, it gets all that follows, or is told that something is lost. */
    @Test
    void readers_betweenAllSteps_missNothingUnknowingly() {
        append("m", 3_000);
        age("position <= 2600", 31);
        int[] lost = {0};

        trimAll(database, () -> {
            for (long after = 0; after < 3_000; after += 250) {
                lost[0] += assertWholeOrLost(after) ? 0 : 1;
            }
        });

        assertTrue(lost[0] >= 11, () -> lost[0] + " were told");
        assertTrue(assertWholeOrLost(2_600));
    }

    @Test
    void readers_whileEventsGo_missNothingUnknowingly() throws Exception {
        append("m", 11_000);
        ExecutorService threads = Executors.newFixedThreadPool(1);
        try {
            Future<?> trimming = threads.submit(() -> {
                for (int old = 1_000; old <= 11_000; old += 1_000) {
                    age("position <= " + old, 31);
                    trimAll(database, () -> {});
                }
            });
            long whole = 0;
            do {
                for (long after = 0; after < 11_000; after += 1_100) {
                    whole += assertWholeOrLost(after) ? 1 : 0;
                }
            } while (!trimming.isDone());
            trimming.get();
            assertTrue(whole > 0);
        } finally {
            threads.shutdownNow();
        }
    }

    private boolean assertWholeOrLost(long after) {
        Page page = log.read(after, 11_000, EventFilter.ALL, 100, 1 << 20);
        if (page.hasLost(after)) {
            return false;
        }
        List<Long> positions = page.records().stream().map(LogRecord::position).toList();
        assertEquals(
                LongStream.rangeClosed(after + 1, after + positions.size())
                        .boxed()
                        .toList(),
                positions);
        assertEquals(100, positions.size());
        return true;
    }
}
