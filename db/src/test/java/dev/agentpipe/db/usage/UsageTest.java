package dev.agentpipe.db.usage;

import static dev.agentpipe.core.log.TestEvents.BASE_MICROS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.TestEvents;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.usage.Usage.Interval;
import dev.agentpipe.db.usage.UsageSummary.Bucket;
import dev.agentpipe.db.usage.UsageSummary.Part;
import dev.agentpipe.db.usage.UsageSummary.Sums;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sums that follow the log, held against sums over all messages that are made anew. */
final class UsageTest {

    private static final Usage.PartLimits LIMITS = new Usage.PartLimits(100, 100);
    private static final Duration FIVE_DAYS = Duration.ofDays(5);
    private static final UsageRange ALL = new UsageRange(null, null);
    private static final Instant BASE = Instant.EPOCH.plus(BASE_MICROS, ChronoUnit.MICROS);

    private final String url = TestPostgres.newDatabase();
    private final Database database = Database.open(TestPostgres.settings(url));
    private final TestRows rows = new TestRows(url);
    private final Usage usage = database.usage();
    private final Random random = new Random(7);
    private int messages;

    @AfterEach
    void close() {
        rows.close();
        database.close();
    }

    private static MessageCreated message(
            String conversation,
            String id,
            Instant at,
            String agentType,
            String model,
            Long tokens,
            Long input,
            Long output,
            String cost) {
        long micros = (at.getEpochSecond() - BASE.getEpochSecond()) * 1_000_000 + at.getNano() / 1_000;
        return new MessageCreated(
                TestEvents.envelope(EventType.MESSAGE_CREATED, conversation, micros, "message " + id),
                id,
                null,
                agentType,
                null,
                null,
                "content",
                model,
                null,
                null,
                tokens,
                input,
                output,
                cost == null ? null : new BigDecimal(cost),
                cost == null ? null : 40L);
    }

    /** Of five days, four agents and models, with and without tokens and cost; times are not in the order of the log. */
    private List<Event> randomMessages(int count) {
        List<Event> events = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int kind = random.nextInt(4);
            events.add(message(
                    "c" + random.nextInt(20),
                    "m" + messages++,
                    BASE.plusMillis(random.nextLong(FIVE_DAYS.toMillis())),
                    kind == 3 ? null : "agent" + kind,
                    kind == 0 ? null : "model" + random.nextInt(2),
                    kind == 1 ? null : (Long) random.nextLong(1_000),
                    kind == 2 ? null : (Long) random.nextLong(1_000),
                    kind == 2 ? null : (Long) random.nextLong(1_000),
                    kind == 3 ? null : "0.000" + random.nextInt(10_000)));
        }
        return events;
    }

    private void append(int count) {
        for (int done = 0; done < count; done += 500) {
            database.eventLog().append(randomMessages(Math.min(500, count - done)));
        }
    }

    /** Positions taken in by one step of the test's own, smaller than a real one. */
    private void step(int positions) {
        rows.value("select advance_usage(" + positions + ")");
    }

    private static String line(String name, Sums sums) {
        return name + " " + sums.messages() + " " + sums.inputTokens() + " " + sums.outputTokens() + " "
                + sums.totalTokens() + " " + sums.cost().stripTrailingZeros().toPlainString() + " " + sums.durationMs();
    }

    private static final String SUMS = " || ' ' || count(*) || ' ' || coalesce(sum(input_tokens), 0) || ' ' ||"
            + " coalesce(sum(output_tokens), 0) || ' ' ||"
            + " coalesce(sum(coalesce(tokens_used, input_tokens + output_tokens, input_tokens, output_tokens)), 0)"
            + " || ' ' || trim_scale(coalesce(sum(cost), 0)) || ' ' || coalesce(sum(duration_ms), 0)";

    private List<String> expected(String group, UsageRange range) {
        String where = (range.from() == null ? "true" : "created_at >= '" + range.from() + "'")
                + (range.to() == null ? "" : " and created_at < '" + range.to() + "'");
        String key = group.equals("all") ? "" : " group by " + group;
        String name = group.equals("all") ? "'all'" : "coalesce(" + group + "::text, 'null')";
        return rows
                .rows("select " + name + SUMS + " as line from messages where " + where + key + " having count(*) > 0")
                .stream()
                .map(row -> row.get("line"))
                .sorted()
                .toList();
    }

    private static List<String> lines(List<Part> parts) {
        return parts.stream()
                .map(part -> line(String.valueOf(part.name()), part.sums()))
                .sorted()
                .toList();
    }

    private void assertExact(UsageRange range, Interval interval) {
        UsageSummary summary = usage.summary(range, interval, LIMITS);
        assertEquals(
                expected("all", range),
                summary.total().messages() == 0 ? List.of() : List.of(line("all", summary.total())),
                range::toString);
        assertEquals(expected("agent_type", range), lines(summary.agents()), range::toString);
        assertEquals(expected("model", range), lines(summary.models()), range::toString);
        if (interval != null) {
            String bucket = "to_char(date_trunc('" + interval.name().toLowerCase(java.util.Locale.ROOT)
                    + "', created_at, 'UTC') at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";
            assertEquals(
                    expected(bucket, range),
                    summary.series().stream()
                            .map(one -> line(one.start().toString(), one.total()))
                            .sorted()
                            .toList());
            for (Bucket one : summary.series()) {
                assertEquals(
                        one.total().messages(),
                        one.agents().stream()
                                .mapToLong(part -> part.sums().messages())
                                .sum());
                assertEquals(
                        one.total().cost(),
                        one.models().stream().map(part -> part.sums().cost()).reduce(BigDecimal.ZERO, BigDecimal::add));
            }
        }
    }

    private void assertExact() {
        assertExact(ALL, null);
        assertExact(ALL, Interval.DAY);
        assertExact(ALL, Interval.HOUR);
        for (int i = 0; i < 4; i++) {
            Instant from = BASE.plusSeconds(random.nextLong(FIVE_DAYS.toSeconds()) - 40_000);
            Instant to = from.plusSeconds(random.nextLong(FIVE_DAYS.toSeconds() / (1 + i % 4)));
            Interval interval = i % 3 == 0 ? Interval.DAY : i % 3 == 1 ? Interval.HOUR : null;
            assertExact(new UsageRange(from, to), interval);
            assertExact(new UsageRange(from, null), interval);
            assertExact(new UsageRange(null, to), interval);
        }
    }

    private String position() {
        return rows.value("select position from usage_progress");
    }

    @Test
    void summary_whereverTheSumsStand_isExact() {
        assertEquals(0, usage.summary(ALL, Interval.DAY, LIMITS).total().messages());
        append(1_200);
        assertExact();
        assertEquals("0", position(), "a small rest is left alone");
        step(700);
        assertExact();
        append(300);
        step(100);
        assertExact();
        while (usage.bringForward() > 0) {}
        assertEquals("1500", position());
        assertExact();
        append(50);
        assertExact();
    }

    @Test
    void summary_farBehind_bringsTheSumsForward() {
        append(Usage.REST_MAX + 1_000);

        assertEquals(
                Usage.REST_MAX + 1_000, usage.summary(ALL, null, LIMITS).total().messages());
        assertEquals(Integer.toString(Usage.REST_MAX), position());
    }

    @Test
    void deletion_takesOutWhatWasSummedUpAndNoMore() {
        append(1_000);
        step(600);
        rows.run("delete from messages where conversation_id in ('c1', 'c2')");
        assertExact();
        step(10_000);
        assertExact();
        assertEquals("0", rows.value("select count(*) from usage_agents where conversation_id in ('c1', 'c2')"));

        rows.run("delete from messages");
        assertExact();
        assertEquals("0", rows.value("select count(*) from usage_totals"), "nothing is left of it");
        assertEquals("0", rows.value("select count(*) from usage_agents"));
    }

    @Test
    void conversations_areCountedOncePerAgent() {
        Instant day1 = Instant.parse("2026-03-01T10:00:00Z");
        Instant day2 = Instant.parse("2026-03-02T10:00:00Z");
        database.eventLog()
                .append(List.of(
                        message("a", "1", day1, "claude", "x", 1L, null, null, "1"),
                        message("a", "2", day2, "claude", "y", 1L, null, null, "1"),
                        message("a", "3", day2, "gemini", "x", 1L, null, null, "1")));
        step(1);
        assertEquals(Map.of("claude", 1L, "gemini", 1L), conversations(ALL));
        step(1);
        assertEquals(Map.of("claude", 1L, "gemini", 1L), conversations(ALL));
        database.eventLog().append(List.of(message("b", "4", day2, "claude", "y", 1L, null, null, "1")));
        assertEquals(Map.of("claude", 2L, "gemini", 1L), conversations(ALL));
        step(10);
        assertEquals(Map.of("claude", 2L, "gemini", 1L), conversations(ALL));
        assertEquals(
                Map.of("claude", 1L, "gemini", 1L),
                conversations(new UsageRange(Instant.parse("2026-03-02T00:00:00Z"), null)));
        rows.run("delete from messages where conversation_id = 'a'");
        assertEquals(Map.of("claude", 1L), conversations(ALL));
    }

    private Map<String, Long> conversations(UsageRange range) {
        return usage.summary(range, null, LIMITS).agents().stream()
                .collect(Collectors.toMap(Part::name, part -> part.sums().conversations()));
    }

    @Test
    void totals_ofConversations_areThoseThatBeganThen() {
        database.eventLog()
                .append(List.of(
                        TestEvents.started("a", 0),
                        TestEvents.completed("a", CompletionStatus.COMPLETED, 1_000, 10),
                        TestEvents.started("b", Duration.ofDays(2).toNanos() / 1_000),
                        TestEvents.started("c", Duration.ofDays(2).toNanos() / 1_000)));

        UsageSummary all = usage.summary(ALL, null, LIMITS);
        assertEquals(3, all.conversations());
        assertEquals(2, all.activeConversations());
        assertEquals(0, new BigDecimal("4344.039984").compareTo(all.averageDurationMs()));
        UsageSummary late = usage.summary(new UsageRange(BASE.plus(Duration.ofDays(1)), null), null, LIMITS);
        assertEquals(2, late.conversations());
        assertEquals(2, late.activeConversations());
        assertEquals(null, late.averageDurationMs());
    }

    @Test
    void absurdNumbersAndNames_areSummedUp() {
        String huge = "x".repeat(100_000);
        database.eventLog()
                .append(List.of(
                        message(
                                "a",
                                "1",
                                BASE,
                                "claude",
                                huge,
                                Long.MAX_VALUE,
                                Long.MAX_VALUE,
                                0L,
                                "999999999999999.9"),
                        message("a", "2", BASE, "claude", huge, Long.MAX_VALUE, Long.MAX_VALUE, 0L, "1e-300"),
                        message(
                                "a",
                                "3",
                                Instant.parse("0001-01-01T00:00:00Z"),
                                "claude",
                                null,
                                null,
                                null,
                                null,
                                null),
                        message(
                                "a",
                                "4",
                                Instant.parse("9999-12-31T23:59:59Z"),
                                "claude",
                                null,
                                null,
                                null,
                                null,
                                null)));
        for (int i = 0; i < 2; i++) {
            UsageSummary summary = usage.summary(ALL, Interval.DAY, LIMITS);
            assertEquals(new BigDecimal("18446744073709551614"), summary.total().totalTokens());
            assertEquals(
                    new BigDecimal("999999999999999.9").add(new BigDecimal("1e-300")),
                    summary.total().cost());
            assertEquals(3, summary.series().size());
            assertEquals(255, summary.models().get(1).name().length());
            step(10);
        }
    }

    @Test
    void parts_areBounded_theLargestFirst_andTheTotalIsWhole() {
        List<Event> events = new ArrayList<>();
        for (int agent = 0; agent < 30; agent++) {
            for (int i = 0; i <= agent; i++) {
                events.add(message("a", agent + "-" + i, BASE, "agent" + agent, "m" + agent, 1L, null, null, "0.1"));
            }
        }
        database.eventLog().append(events);

        UsageSummary summary = usage.summary(ALL, Interval.DAY, new Usage.PartLimits(10, 3));
        assertEquals(465, summary.total().messages());
        assertEquals(10, summary.agents().size());
        assertEquals(10, summary.models().size());
        assertEquals("agent29", summary.agents().get(0).name());
        assertEquals(
                List.of("m29", "m28", "m27"),
                summary.series().get(0).models().stream().map(Part::name).toList());
    }

    /** Servers that bring the sums forward, appends, deletions, and questions, all at once. */
    @Test
    void manyAtOnce_countNothingTwice() throws Exception {
        append(2_000);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (Database other = Database.open(TestPostgres.settings(url));
                TestRows steps = new TestRows(url);
                TestRows moreSteps = new TestRows(url);
                TestRows deletions = new TestRows(url)) {
            List<Future<?>> all = List.of(
                    threads.submit(() -> advance(steps)),
                    threads.submit(() -> advance(moreSteps)),
                    threads.submit(() -> {
                        for (int i = 0; i < 10; i++) {
                            deletions.run("delete from messages where conversation_id = 'c" + i + "'");
                        }
                    }),
                    threads.submit(() -> {
                        for (int i = 0; i < 20; i++) {
                            other.usage().summary(ALL, Interval.DAY, LIMITS);
                        }
                    }));
            for (int i = 0; i < 10; i++) {
                append(100);
            }
            for (Future<?> each : all) {
                each.get();
            }
        } finally {
            threads.shutdown();
        }
        assertExact();
        while (usage.bringForward() > 0) {}
        assertExact();
        String sums = fingerprint();
        rows.run("truncate usage_totals, usage_agents");
        rows.run("update usage_progress set position = 0");
        while (usage.bringForward() > 0) {}
        assertEquals(fingerprint(), sums, "the same as if it had been summed up afterwards");
    }

    private static void advance(TestRows rows) {
        for (int i = 0; i < 100; i++) {
            rows.value("select advance_usage(17)");
        }
    }

    private String fingerprint() {
        return rows.rows(
                        "select bucket_minutes, bucket_start, agent_type, model, messages, input_tokens, output_tokens,"
                                + " total_tokens, trim_scale(cost), duration_ms from usage_totals where messages > 0 order by 1, 2, 3, 4")
                .toString();
    }

    @Test
    void killInTheMiddleOfAStep_leavesNothing() {
        append(300);
        rows.run("begin");
        step(200);
        rows.run("rollback"); // what PostgreSQL does for a client that is gone
        assertEquals("0", position());
        step(200);
        assertExact();
        assertTrue(usage.behind() > 0);
    }
}
