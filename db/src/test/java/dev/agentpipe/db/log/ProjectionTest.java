package dev.agentpipe.db.log;

import static dev.agentpipe.core.event.Event.CompletionStatus.COMPLETED;
import static dev.agentpipe.core.event.Event.CompletionStatus.ERROR;
import static dev.agentpipe.core.event.Event.CompletionStatus.INTERRUPTED;
import static dev.agentpipe.core.log.TestEvents.bridgeTest;
import static dev.agentpipe.core.log.TestEvents.closed;
import static dev.agentpipe.core.log.TestEvents.completed;
import static dev.agentpipe.core.log.TestEvents.failed;
import static dev.agentpipe.core.log.TestEvents.logEntry;
import static dev.agentpipe.core.log.TestEvents.message;
import static dev.agentpipe.core.log.TestEvents.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.AppendResult;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What an append makes of conversations, messages and participants (contract, section 2, promises 3 and 4). */
final class ProjectionTest {

    private static String url;
    private static Database database;
    private static TestRows rows;

    private final String id = "c-" + UUID.randomUUID();

    @BeforeAll
    static void open() {
        url = TestPostgres.newDatabase();
        database = Database.open(TestPostgres.settings(url));
        rows = new TestRows(url);
    }

    @AfterAll
    static void close() {
        rows.close();
        database.close();
    }

    @Test
    void started_thenNothing_isAnActiveConversationWithItsParticipants() {
        append(started(id, 123));

        Map<String, String> row = conversation();
        assertEquals("round-robin", row.get("mode"));
        assertEquals("Design a small job queue.", row.get("initial_prompt"));
        assertEquals("4", row.get("max_turns"));
        assertEquals("ACTIVE", row.get("status"));
        assertEquals("0", row.get("message_count"));
        assertEquals("{\"os\": \"linux\",  \"cores\": 2}", row.get("system_info"));
        assertEquals("{\"full_command\":\"agentpipe run\"}", row.get("command"));
        assertEquals("2026-11-22 14:34:21.000123", utc("started_at"));
        assertEquals(
                List.of("0|claude-0|claude|Alice|claude||1.2.3", "1|gemini-1|gemini|Bob||Be \"brief\".\n|"),
                rows
                        .rows("select ordinal || '|' || concat_ws('|', agent_id, agent_type, name, coalesce(model, ''),"
                                + " coalesce(prompt, ''), coalesce(cli_version, '')) as line from conversation_agents"
                                + " where conversation_id = '" + id + "' order by ordinal")
                        .stream()
                        .map(row1 -> row1.get("line"))
                        .toList());
    }

    @Test
    void message_beforeTheStart_makesTheConversationAndTheStartFillsItIn() {
        append(message(id, id + 1, 50));
        assertNull(conversation().get("mode"));
        assertNull(conversation().get("started_at"));

        append(started(id, 20));

        assertEquals("round-robin", conversation().get("mode"));
        assertEquals("1", conversation().get("message_count"));
        assertEquals("2026-11-22 14:34:21.00002", utc("first_event_at"));
        assertEquals("2026-11-22 14:34:21.00005", utc("last_event_at"));
    }

    @Test
    void messages_add_untilACompletionReports() {
        append(message(id, id + 1, 1, "a", 10L, 7L, 3L, "0.0006349999999999999", 84L));
        append(
                message(id, id + 2, 2, "b", null, 7L, 4L, "0.1", null),
                message(id, id + 3, 3, "", null, null, 5L, null, 1L));

        assertEquals("3", conversation().get("total_messages"));
        assertEquals("26", conversation().get("total_tokens"));
        assertEquals("0.1006349999999999999", conversation().get("total_cost"));
        assertEquals("85", conversation().get("total_duration_ms"));

        append(completed(id, COMPLETED, 4, 7), message(id, id + 4, 3, "late", 1_000L, null, null, "5", 1L));

        Map<String, String> row = conversation();
        assertEquals("COMPLETED", row.get("status"));
        assertEquals("4", row.get("message_count"));
        assertEquals("7", row.get("total_messages"));
        assertEquals("3", row.get("reported_turns"));
        assertEquals("700", row.get("total_tokens"));
        assertEquals("0.02481325", row.get("total_cost"));
        assertEquals(
                "4344.039984",
                new BigDecimal(row.get("total_duration_ms"))
                        .stripTrailingZeros()
                        .toPlainString());
        assertEquals("short 7", row.get("summary_short_text"));
        assertEquals("long\n7", row.get("summary_text"));
        assertEquals("185", rows.value("select summary ->> 'input_tokens' from conversations where id = '" + id + "'"));
        assertEquals("2026-11-22 14:34:21.000004", utc("completed_at"));
    }

    @Test
    void status_followsTheNewestEventTimeAndThenTheRank() {
        append(message(id, id + 1, 10));
        append(failed(id, "first", 9));
        assertEquals("ACTIVE", conversation().get("status"));
        append(failed(id, "at the same time", 10));
        assertEquals("ERROR", conversation().get("status"));
        append(closed(id, COMPLETED, 10));
        assertEquals("COMPLETED", conversation().get("status"));
        append(closed(id, INTERRUPTED, 10));
        assertEquals("INTERRUPTED", conversation().get("status"));
        append(closed(id, ERROR, 10));
        assertEquals("ERROR", conversation().get("status"));
        append(message(id, id + 2, 11));
        assertEquals("ACTIVE", conversation().get("status"));
        append(closed(id, COMPLETED, 5));
        assertEquals("ACTIVE", conversation().get("status"));

        assertEquals("2", conversation().get("error_count"));
        assertEquals("at the same time", conversation().get("error_message"));
        assertEquals("rate_limit", conversation().get("error_type"));
        assertEquals("2026-11-22 14:34:21.00001", utc("completed_at"));
    }

    @Test
    void completion_thatReportsNothing_leavesWhatAnEarlierOneReported() {
        append(completed(id, COMPLETED, 10, 7));
        append(closed(id, INTERRUPTED, 20));
        append(completed(id, COMPLETED, 5, 3));

        assertEquals("INTERRUPTED", conversation().get("status"));
        assertEquals("7", conversation().get("total_messages"));
    }

    @Test
    void time_beforeTheEpochAndFarAway_isExact() {
        long toYear9999 = 253_402_300_799_999_999L - TestEvents.BASE_MICROS;
        long to1969 = -1L - TestEvents.BASE_MICROS;
        long toYear1 = -62_135_596_799_999_999L - TestEvents.BASE_MICROS;
        append(message(id, id + 1, toYear9999), message(id, id + 2, to1969), message(id, id + 3, toYear1));

        assertEquals("0001-01-01 00:00:00.000001", utc("first_event_at"));
        assertEquals("9999-12-31 23:59:59.999999", utc("last_event_at"));
        assertEquals(
                "1969-12-31 23:59:59.999999",
                rows.value(
                        "select (created_at at time zone 'UTC')::text from messages where message_id = '" + id + "2'"));
    }

    @Test
    void logEntriesAndBridgeEvents_touchNoConversation() {
        append(logEntry(id, "a", 1), bridgeTest(id));

        assertEquals("0", rows.value("select count(*) from conversations where id = '" + id + "'"));
        assertEquals("1", rows.value("select count(*) from events where conversation_id = '" + id + "'"));
    }

    @Test
    void sums_pastTheGreatestBigint_stayThere() {
        long max = Long.MAX_VALUE;
        append(
                message(id, id + 1, 1, "a", max, null, null, null, max),
                message(id, id + 2, 1, "a", max, null, null, null, max));
        append(message(id, id + 3, 1, "a", null, max, max, null, 1L));
        append(message(id, id + 4, 1, "a", 1L, null, null, null, max));

        assertEquals("9223372036854775807", conversation().get("message_tokens"));
        assertEquals("9223372036854775807", conversation().get("total_tokens"));
        assertEquals("9223372036854775807", conversation().get("message_duration_ms"));
        assertEquals("4", conversation().get("message_count"));
        assertEquals(
                "9223372036854775807",
                rows.value("select input_tokens from messages where message_id = '" + id + "3'"));
    }

    @Test
    void oddTexts_areKept() {
        String odd = "\uFFFD \u0001 \\u0000 ' \" \\ \u2028 🚀 {x,NULL} NULL";
        Event started = new Event.ConversationStarted(
                TestEvents.envelope(EventType.CONVERSATION_STARTED, id, 0, "started " + id),
                odd,
                "",
                Long.MAX_VALUE,
                List.of(new Event.Participant(odd, "NULL", "", null, null, null)),
                "{\"a\":\"\\u0000\\ud800\"}",
                null);
        append(
                started,
                message(id, id + 1, odd),
                message(id, id + 2, "NULL"),
                message(id, id + 3, ""),
                failed(id, odd, 5));

        assertEquals(odd, conversation().get("mode"));
        assertEquals("", conversation().get("initial_prompt"));
        assertEquals("9223372036854775807", conversation().get("max_turns"));
        assertEquals("{\"a\":\"\\u0000\\ud800\"}", conversation().get("system_info"));
        assertEquals(odd, conversation().get("error_message"));
        assertEquals(
                List.of(odd, "NULL", ""),
                rows
                        .rows("select content from messages where conversation_id = '" + id + "' order by message_id")
                        .stream()
                        .map(row -> row.get("content"))
                        .toList());
    }

    @Test
    void append_thousandEventsAtOnce_isOneTransaction() {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            events.add(message(id + i % 7, id + "-" + i, i));
        }
        events.set(500, events.get(499));
        List<AppendResult> results = database.eventLog().append(events).results();

        assertEquals(
                999,
                results.stream().filter(AppendResult.Stored.class::isInstance).count());
        assertEquals(
                1,
                rows.rows("select distinct xmin from messages where message_id like '" + id + "%'")
                        .size());
        assertEquals("999", rows.value("select sum(message_count) from conversations where id like '" + id + "%'"));
    }

    @Test
    void anyOrderRepeatsAndBatches_endInTheSameRows() {
        List<Event> events = List.of(
                started(id, 10),
                message(id, "m1", 10, "a", 10L, 7L, 3L, "0.0006349999999999999", 84L),
                message(id, "m2", 20, "b", null, 7L, 4L, "12345678901234567890.1", null),
                message(id, "m3", 30, "", Long.MAX_VALUE - 20, null, 5L, null, Long.MAX_VALUE),
                message(id, "m4", 30, "d", 100L, null, null, "1E-9", 7L),
                message(id + "-other", "m5", 1, "e", 1L, 1L, 1L, "1", 1L),
                logEntry(id, "log", 31),
                failed(id, "one", 25),
                failed(id, "two", 40),
                failed(id, "two again", 40),
                completed(id, COMPLETED, 50, 7),
                completed(id, ERROR, 50, 8),
                closed(id, INTERRUPTED, 50),
                completed(id, COMPLETED, 45, 6),
                bridgeTest("x"));
        String expected = statesAfter(List.of(events));
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            String actual = statesAfter(split(withRepeats(events, random), random));
            int failedSeed = seed;
            assertEquals(expected, actual, () -> "with seed " + failedSeed);
        }
    }

    private static List<Event> withRepeats(List<Event> events, Random random) {
        List<Event> all = new ArrayList<>(events);
        for (int repeats = random.nextInt(10); repeats > 0; repeats--) {
            all.add(events.get(random.nextInt(events.size())));
        }
        Collections.shuffle(all, random);
        return all;
    }

    private static List<List<Event>> split(List<Event> events, Random random) {
        List<List<Event>> batches = new ArrayList<>();
        int batchMax = 1 + random.nextInt(events.size());
        for (int from = 0; from < events.size(); ) {
            int to = Math.min(events.size(), from + 1 + random.nextInt(batchMax));
            batches.add(events.subList(from, to));
            from = to;
        }
        return batches;
    }

    /** All that the batches leave in an empty log, but for what says when and where it came. */
    private static String statesAfter(List<List<Event>> batches) {
        rows.run("truncate events, event_identities, conversations, messages, conversation_agents");
        batches.forEach(database.eventLog()::append);
        return rows.value("select jsonb_pretty(jsonb_build_object("
                + "'events', (select jsonb_agg(to_jsonb(e) - '{position,received_at}'::text[] order by payload)"
                + " from events e),"
                + "'messages', (select jsonb_agg(to_jsonb(m) - 'position' order by message_id) from messages m),"
                + "'agents', (select jsonb_agg(to_jsonb(a) order by ordinal) from conversation_agents a),"
                + "'conversations', (select jsonb_agg("
                + "to_jsonb(c) - '{created_at,last_received_at}'::text[] order by id) from conversations c)))");
    }

    private static void append(Event... events) {
        database.eventLog().append(List.of(events));
    }

    private Map<String, String> conversation() {
        return rows.row("select * from conversations_with_totals where id = '" + id + "'");
    }

    private String utc(String column) {
        return rows.value(
                "select (" + column + " at time zone 'UTC')::text from conversations where id = '" + id + "'");
    }
}
