package dev.agentpipe.db.usage;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.usage.Usage.Interval;
import dev.agentpipe.db.usage.Usage.PartLimits;
import java.time.Instant;
import org.jooq.Query;
import org.jooq.SQLDialect;
import org.jooq.conf.ParamType;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What a question about usage costs when there is much: blocks, not time, and no look at the messages that are summed up. With
 * {@code -Dusage.messages=1000000} for as many, and the plans with their times are printed.
 */
final class UsagePlanTest {

    private static final int MESSAGES = Integer.getInteger("usage.messages", 50_000);
    private static final int CONVERSATIONS = MESSAGES / 10;
    private static final int REST = MESSAGES / 100;
    private static final PartLimits LIMITS = new PartLimits(100, 10);

    private static TestRows rows;

    /** A year of them, of five agents with two models each; the last ones are not summed up. */
    @BeforeAll
    static void fill() {
        String url = TestPostgres.newDatabase();
        Database.open(TestPostgres.settings(url)).close();
        rows = new TestRows(url);
        rows.run(
                "insert into conversations (id, status_order, status, first_event_at, last_event_at, settled_duration_ms,"
                        + " initial_prompt)"
                        + " select 'c' || n, n, case when n % 100 = 0 then 'ACTIVE' else 'COMPLETED' end, t, t, n % 1000, repeat('x', 500)"
                        + " from generate_series(1, " + CONVERSATIONS + ") as n,"
                        + " lateral (select timestamptz '2026-01-01Z' + n * interval '1 year' / " + CONVERSATIONS
                        + ") as a (t)");
        rows.run(
                "insert into messages (conversation_id, position, message_id, agent_type, model, content, input_tokens,"
                        + " output_tokens, cost, duration_ms, created_at) select 'c' || n / 10, n, n, 'agent' || n % 5,"
                        + " 'model' || n % 10, repeat('x', 300), 100, 20, 0.00123, 50,"
                        + " timestamptz '2026-01-01Z' + n * interval '1 year' / " + MESSAGES
                        + " from generate_series(1, " + MESSAGES + ") as n");
        rows.run("insert into events (position, type, event_at, payload) values (" + MESSAGES
                + ", 'bridge.test', now(), '')");
        rows.run("analyze messages");
        long start = System.nanoTime();
        rows.value("select advance_usage(" + (MESSAGES - REST) + ")");
        if (MESSAGES >= 1_000_000) {
            System.out.println("summed up in " + (System.nanoTime() - start) / 1_000_000 + " ms");
        }
        // What runs beside, such as an analysis by PostgreSQL itself, may keep a vacuum from marking rows as visible to
        // all.
        long deadline = System.nanoTime() + 20_000_000_000L;
        do {
            rows.run("vacuum analyze usage_totals, conversations");
        } while (rows.value("select relallvisible < relpages from pg_class where relname = 'conversations'")
                        .equals("t")
                && System.nanoTime() < deadline);
    }

    @AfterAll
    static void close() {
        rows.close();
    }

    private static UsageQuestion question(String from, String to, Interval interval) {
        UsageRange range =
                new UsageRange(from == null ? null : Instant.parse(from), to == null ? null : Instant.parse(to));
        return new UsageQuestion(DSL.using(SQLDialect.POSTGRES), range, interval, LIMITS);
    }

    private static void assertCost(int blocksMax, Query query) {
        String plan = String.join(
                "\n",
                rows.rows("explain (analyze, buffers) " + query.getSQL(ParamType.INLINED)).stream()
                        .map(row -> row.get("QUERY PLAN"))
                        .toList());
        if (MESSAGES >= 1_000_000) {
            System.out.println(query + "\n" + plan);
        }
        for (String large : new String[] {"messages", "conversations", "usage_agents"}) {
            assertFalse(plan.contains("Seq Scan on " + large), plan);
        }
        int blocks = plan.lines()
                .filter(line -> line.contains("Buffers: shared"))
                .findFirst()
                .map(line -> line.replaceAll("temp.*", "")
                        .replaceAll("(hit|read)=", "")
                        .split("\\D+"))
                .map(parts -> {
                    int sum = 0;
                    for (String part : parts) {
                        sum += part.isEmpty() ? 0 : Integer.parseInt(part);
                    }
                    return sum;
                })
                .orElseThrow();
        assertTrue(blocks <= (long) blocksMax * MESSAGES / 50_000, plan);
    }

    private static Query groups(UsageQuestion question, Interval by) {
        return question.groups(MESSAGES - REST, by, 10);
    }

    @Test
    void whole_costsTheDaysAndTheRest() {
        assertCost(3_000, groups(question(null, null, null), null));
    }

    @Test
    void range_costsItsDaysAndQuarters() {
        UsageQuestion question = question("2026-02-03T10:45:00Z", "2026-10-11T17:15:00Z", Interval.DAY);
        assertCost(6_000, groups(question, null));
        assertCost(6_000, groups(question, Interval.DAY));
    }

    @Test
    void hours_costTheirQuarters() {
        assertCost(
                40_000, groups(question("2026-03-01T00:00:00Z", "2026-04-11T00:00:00Z", Interval.HOUR), Interval.HOUR));
    }

    @Test
    void conversations_areCountedInAnIndex() {
        assertCost(2_000, question(null, null, null).conversations());
        assertCost(
                500,
                question("2026-03-01T00:00:00Z", "2026-04-11T00:00:00Z", null).conversations());
    }
}
