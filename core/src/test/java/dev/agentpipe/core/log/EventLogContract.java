package dev.agentpipe.core.log;

import static dev.agentpipe.core.log.TestEvents.bridgeTest;
import static dev.agentpipe.core.log.TestEvents.logEntry;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.messages;
import static dev.agentpipe.core.log.TestEvents.started;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * What every {@link EventLog} must do. A log may be shared by the tests, and hold other events: each uses its own
 * conversation and looks at what lies after the head that it found.
 */
public abstract class EventLogContract {

    private static final int MANY = Integer.MAX_VALUE;

    private final String conversation = "c-" + UUID.randomUUID();
    private final String prefix = "m-" + UUID.randomUUID() + "-";

    protected abstract EventLog log();

    /** Retains nothing up to this position any longer. */
    protected abstract void trim(long through);

    @Test
    void append_newEvents_takePositionsAfterTheHeadInTheirOrder() {
        Appended first = log().append(messages(conversation, prefix, 3));
        Appended second = log().append(List.of(message(conversation, prefix + "x", 9)));

        assertEquals(first.headBefore() + 3, first.head());
        assertEquals(stored(first.headBefore() + 1, 3), first.results());
        assertEquals(first.head(), second.headBefore());
        assertEquals(second.head(), log().state().head());
    }

    @Test
    void rehearse_leavesNothing() {
        Event event = bridgeTest("canary " + prefix);
        log().append(List.of(message(conversation, prefix + "before", 1)));
        LogState before = log().state();

        log().rehearse(event);
        log().rehearse(event);

        assertEquals(before, log().state());
        Appended appended = log().append(List.of(event));
        assertEquals(
                stored(before.head() + 1, 1), appended.results(), "neither its identity nor its position is taken");
    }

    @Test
    void append_nothing_leavesTheHead() {
        long head = log().state().head();

        assertEquals(new Appended(head, head, List.of()), log().append(List.of()));
    }

    @Test
    void append_sameEventAgain_isADuplicateOfTheFirst() {
        Appended first = log().append(messages(conversation, prefix, 2));
        Appended again = log().append(messages(conversation, prefix, 3));

        long at = first.headBefore();
        assertEquals(
                List.of(
                        new AppendResult.Duplicate(at + 1),
                        new AppendResult.Duplicate(at + 2),
                        new AppendResult.Stored(again.head())),
                again.results());
        assertTrue(again.head() > first.head());
        assertEquals(3, readAll(at).size());
    }

    @Test
    void append_onlyDuplicates_leavesTheHead() {
        Appended first = log().append(messages(conversation, prefix, 3));
        Appended again = log().append(messages(conversation, prefix, 3));
        Appended next = log().append(List.of(message(conversation, prefix + "x", 9)));

        assertEquals(first.head(), again.headBefore());
        assertEquals(first.head(), again.head());
        assertEquals(stored(first.head() + 1, 1), next.results());
    }

    @Test
    void append_sameEventTwiceInOneBatch_storesTheFirst() {
        Event message = message(conversation, prefix, 1);
        Event entry = logEntry(conversation, "again", 2);
        Appended appended = log().append(List.of(message, entry, message, entry));

        long at = appended.headBefore();
        assertEquals(
                List.of(
                        new AppendResult.Stored(at + 1),
                        new AppendResult.Stored(at + 2),
                        new AppendResult.Duplicate(at + 1),
                        new AppendResult.Duplicate(at + 2)),
                appended.results());
        assertEquals(at + 2, appended.head());
    }

    @Test
    void append_knownMessageWithOtherContentOrConversation_isAConflict() {
        log().append(List.of(message(conversation, prefix, "one"), message(conversation, prefix + "b", "")));
        long head = log().state().head();

        Appended appended = log().append(List.of(
                message(conversation, prefix, "two"),
                message(conversation + "x", prefix, "one"),
                message(conversation, prefix + "b", " ")));

        AppendResult conflict = new AppendResult.Conflict();
        assertEquals(new Appended(head, head, List.of(conflict, conflict, conflict)), appended);
        assertEquals(0, readAll(head).size());
    }

    @Test
    void append_twoContentsOfOneMessageInOneBatch_storesTheFirstAndRefusesTheSecond() {
        Appended appended =
                log().append(List.of(message(conversation, prefix, "one"), message(conversation, prefix, "two")));

        assertEquals(
                List.of(new AppendResult.Stored(appended.headBefore() + 1), new AppendResult.Conflict()),
                appended.results());
    }

    @Test
    void read_storedEvent_givesItsTypeConversationAndExactPayload() {
        Event started = started(conversation, 1);
        Event outside = bridgeTest(prefix);
        long after = log().append(List.of(started, outside)).headBefore();

        List<LogRecord> records = readAll(after);

        assertEquals(EventType.CONVERSATION_STARTED, records.get(0).type());
        assertEquals(conversation, records.get(0).conversationId());
        assertArrayEquals(started.envelope().payload(), records.get(0).payload(), () -> text(records.get(0)));
        assertEquals(EventType.BRIDGE_TEST, records.get(1).type());
        assertNull(records.get(1).conversationId());
        assertEquals(after + 2, records.get(1).position());
    }

    @Test
    void read_boundedByRecords_goesOnAfterTheLastRecord() {
        Appended appended = log().append(messages(conversation, prefix, 5));
        long after = appended.headBefore();

        EventLog.Page page = log().read(after, appended.head(), EventFilter.ALL, 3, MANY);
        EventLog.Page rest = log().read(page.through(), appended.head(), EventFilter.ALL, 3, MANY);

        assertEquals(positions(after + 1, after + 3), positions(page));
        assertEquals(after + 3, page.through());
        assertEquals(positions(after + 4, after + 5), positions(rest));
        assertEquals(appended.head(), rest.through());
    }

    @Test
    void read_boundedByBytes_stopsAfterTheRecordThatReachesThem() {
        Appended appended = log().append(messages(conversation, prefix, 4));
        long after = appended.headBefore();
        int bytes = readAll(after).get(0).payload().length;

        for (int bytesMax : new int[] {1, bytes, bytes + 1, 2 * bytes}) {
            EventLog.Page page = log().read(after, appended.head(), EventFilter.ALL, 100, bytesMax);
            long through = after + (bytesMax <= bytes ? 1 : 2);
            assertEquals(positions(after + 1, through), positions(page));
            assertEquals(through, page.through());
        }
        EventLog.Page all = log().read(after, appended.head(), EventFilter.ALL, 100, 4 * bytes + 1);
        assertEquals(4, all.records().size());
        assertEquals(appended.head(), all.through());
    }

    @Test
    void read_upTo_looksNoFurther() {
        Appended appended = log().append(messages(conversation, prefix, 5));
        long after = appended.headBefore();

        EventLog.Page page = log().read(after, after + 2, EventFilter.ALL, 100, MANY);
        EventLog.Page none = log().read(after, after, EventFilter.ALL, 100, MANY);

        assertEquals(positions(after + 1, after + 2), positions(page));
        assertEquals(after + 2, page.through());
        assertEquals(new EventLog.Page(List.of(), after, log().state().floor()), none);
    }

    @Test
    void read_filtered_passesOverTheRest() {
        String other = conversation + "-other";
        Appended appended = log().append(List.of(
                started(conversation, 0),
                message(conversation, prefix + 1, 1),
                started(other, 1),
                message(other, prefix + 2, 1),
                bridgeTest(prefix),
                message(conversation, prefix + 3, 2)));
        long at = appended.headBefore();
        Set<EventType> messages = Set.of(EventType.MESSAGE_CREATED);

        assertEquals(List.of(at + 1, at + 2, at + 6), matching(appended, Set.of(conversation), Set.of()));
        assertEquals(List.of(at + 2, at + 6), matching(appended, Set.of(conversation), messages));
        assertEquals(List.of(at + 2, at + 4, at + 6), matching(appended, Set.of(conversation, other), messages));
        assertEquals(List.of(at + 2, at + 4, at + 6), matching(appended, Set.of(), messages));
        assertEquals(List.of(at + 5), matching(appended, Set.of(), Set.of(EventType.BRIDGE_TEST)));
        assertEquals(List.of(), matching(appended, Set.of("nobody", "nothing"), Set.of()));
    }

    @Test
    void read_filteredAndBounded_goesOnAfterTheLastRecord() {
        String other = conversation + "-other";
        Appended appended = log().append(List.of(
                message(conversation, prefix + 1, 1),
                message(other, prefix + 2, 1),
                message("x" + prefix, prefix + 3, 1),
                message(conversation, prefix + 4, 1),
                message(other, prefix + 5, 1),
                message("x" + prefix, prefix + 6, 1)));
        long at = appended.headBefore();
        EventFilter both = new EventFilter(Set.of(conversation, other), Set.of());

        EventLog.Page page = log().read(at, appended.head(), both, 3, MANY);
        EventLog.Page rest = log().read(page.through(), appended.head(), both, 3, MANY);

        assertEquals(List.of(at + 1, at + 2, at + 4), positions(page));
        assertEquals(at + 4, page.through());
        assertEquals(List.of(at + 5), positions(rest));
        assertEquals(appended.head(), rest.through());
    }

    @Test
    void beforeLast_lastMatchingRecordsLieAfterIt() {
        log().append(messages(conversation + "-other", prefix + "x", 1));
        Appended appended = log().append(List.of(
                message(conversation, prefix + 1, 1),
                logEntry(conversation, "a", 1),
                message(conversation, prefix + 2, 1),
                logEntry(conversation, "b", 1)));
        long at = appended.headBefore();
        EventFilter ofConversation = new EventFilter(Set.of(conversation), Set.of());
        EventFilter ofBoth = new EventFilter(Set.of(conversation, conversation + "-other"), Set.of());
        EventFilter itsMessages = new EventFilter(Set.of(conversation), Set.of(EventType.MESSAGE_CREATED));

        assertEquals(at + 2, log().beforeLast(2, ofConversation));
        assertEquals(at - 1, log().beforeLast(5, ofBoth));
        assertEquals(at + 2, log().beforeLast(1, itsMessages));
        assertEquals(at, log().beforeLast(2, itsMessages));
        assertEquals(at, log().beforeLast(1_000, itsMessages));
        assertEquals(appended.head(), log().beforeLast(0, ofConversation));
        assertEquals(appended.head(), log().beforeLast(3, new EventFilter(Set.of("nobody"), Set.of())));
        assertEquals(at + 3, log().beforeLast(1, EventFilter.ALL));
    }

    @Test
    void read_afterWhatIsNoLongerRetained_saysSoAndGivesTheRest() {
        Appended appended = log().append(messages(conversation, prefix, 5));
        long at = appended.headBefore();
        trim(at + 2);

        EventLog.Page lost = log().read(at + 1, appended.head(), EventFilter.ALL, 100, MANY);
        EventLog.Page whole = log().read(at + 2, appended.head(), EventFilter.ALL, 100, MANY);
        EventLog.Page nothing = log().read(at, at + 1, EventFilter.ALL, 100, MANY);

        assertEquals(at + 2, log().state().floor());
        assertTrue(lost.hasLost(at + 1));
        assertFalse(whole.hasLost(at + 2));
        assertEquals(positions(at + 3, at + 5), positions(lost));
        assertEquals(positions(whole), positions(lost));
        assertTrue(nothing.hasLost(at));
        assertEquals(List.of(), nothing.records());
    }

    @Test
    void beforeLast_looksAtWhatIsRetained() {
        Appended appended = log().append(messages(conversation, prefix, 5));
        long at = appended.headBefore();
        EventFilter ofConversation = new EventFilter(Set.of(conversation), Set.of());
        trim(at + 3);

        assertEquals(at + 3, log().beforeLast(100, ofConversation));
        assertEquals(at + 4, log().beforeLast(1, ofConversation));
        trim(at + 5);
        assertEquals(at + 5, log().beforeLast(100, ofConversation));
        assertEquals(at + 5, log().beforeLast(0, ofConversation));
    }

    @Test
    void trim_everything_leavesTheHead() {
        long head = log().append(messages(conversation, prefix, 3)).head();
        trim(head);

        assertEquals(head, log().state().head());
        assertEquals(head, log().state().floor());
        Appended next = log().append(messages(conversation, prefix + "next-", 1));
        assertEquals(new Appended(head, head + 1, stored(head + 1, 1)), next);
        assertFalse(log().read(head, head + 1, EventFilter.ALL, 9, MANY).hasLost(head));
    }

    @Test
    void append_byManyAtOnce_isSeenInOrderAndOnce() throws Exception {
        int writers = 3;
        int batches = 40;
        ExecutorService threads = Executors.newFixedThreadPool(writers + 1);
        try {
            long start = log().state().head();
            List<Future<?>> appends = new ArrayList<>();
            for (int writer = 0; writer < writers; writer++) {
                int number = writer;
                Callable<Object> work = () -> {
                    for (int batch = 0; batch < batches; batch++) {
                        // Everybody sends the first two, so that writers meet on equal events, too.
                        List<Event> events = new ArrayList<>(messages(conversation, prefix + batch + "-", 2));
                        events.addAll(messages(conversation, prefix + number + "-" + batch + "-own", 3));
                        log().append(events);
                    }
                    return null;
                };
                appends.add(threads.submit(work));
            }
            int expected = batches * (2 + 3 * writers);
            Future<List<Long>> seen = threads.submit(() -> follow(start, expected, appends));
            for (Future<?> append : appends) {
                append.get();
            }
            assertEquals(expected, seen.get().size());
            assertEquals(expected, new HashSet<>(seen.get()).size());
            assertEquals(seen.get(), seen.get().stream().sorted().toList());
            assertEquals(
                    seen.get(), readAll(start).stream().map(LogRecord::position).toList());
        } finally {
            threads.shutdownNow();
        }
    }

    /** Reads what the head says is there, as it grows, until the writers are done. */
    private List<Long> follow(long start, int expected, List<Future<?>> appends) {
        List<Long> seen = new ArrayList<>();
        long cursor = start;
        boolean done;
        do {
            done = appends.stream().allMatch(Future::isDone);
            long head = log().state().head();
            while (cursor < head) {
                EventLog.Page page = log().read(cursor, head, EventFilter.ALL, 7, MANY);
                seen.addAll(positions(page));
                cursor = page.through();
            }
        } while (!done && seen.size() <= expected);
        return seen;
    }

    private static List<AppendResult> stored(long from, int count) {
        return LongStream.range(from, from + count)
                .<AppendResult>mapToObj(AppendResult.Stored::new)
                .toList();
    }

    private List<LogRecord> readAll(long after) {
        return log().read(after, log().state().head(), EventFilter.ALL, MANY, MANY)
                .records();
    }

    private List<Long> matching(Appended appended, Set<String> conversations, Set<EventType> types) {
        EventFilter filter = new EventFilter(conversations, types);
        EventLog.Page page = log().read(appended.headBefore(), appended.head(), filter, 100, MANY);
        assertEquals(appended.head(), page.through());
        page.records().forEach(log -> assertInstanceOf(byte[].class, log.payload()));
        return positions(page);
    }

    private static List<Long> positions(EventLog.Page page) {
        return page.records().stream().map(LogRecord::position).toList();
    }

    private static List<Long> positions(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }

    private static String text(LogRecord log) {
        return new String(log.payload(), StandardCharsets.UTF_8);
    }
}
