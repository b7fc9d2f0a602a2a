package dev.agentpipe.db.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Sixty days at the same rate with a retention of thirty: the table grows for a month, and then no more. The days are those
 * that have just passed, so "thirty days before day n" is a greater age the longer ago day n is.
 */
final class RetentionMonthTest {

    private static final int DAYS = 60;
    private static final int KEEP_DAYS = 30;
    private static final int EVENTS_A_DAY = 2_000;

    @Test
    void tableOfAConstantRate_keepsItsSize() {
        String url = TestPostgres.newDatabase();
        try (Database database = Database.open(TestPostgres.settings(url));
                TestRows rows = new TestRows(url)) {
            rows.run("alter table events set (autovacuum_enabled = off)");
            long[] sizes = new long[DAYS + 1];
            for (int day = 1; day <= DAYS; day++) {
                appendDay(rows, day);
                Duration age = Duration.ofDays(KEEP_DAYS + DAYS - day);
                while (!database.retention().step(age).isEmpty()) {
                    // On to the next step.
                }
                if (day % 2 == 0) { // autovacuum comes when a twentieth of the rows is dead: one and a half days'
                    rows.run("vacuum events");
                }
                sizes[day] = Long.parseLong(rows.value("select pg_total_relation_size('events')"));
            }
            int left = Integer.parseInt(rows.value("select count(*) from events"));
            // The days begin a little later for each look: the test takes its time.
            assertEquals(KEEP_DAYS * EVENTS_A_DAY, left, 0.01 * EVENTS_A_DAY);
            assertEquals(DAYS * EVENTS_A_DAY - left, database.eventLog().state().floor());
            assertTrue(sizes[31] > 25 * sizes[1], "a month's events need their space");
            for (int day = 32; day <= DAYS; day++) {
                assertTrue(sizes[day] <= 1.2 * sizes[31], "day " + day + ": " + sizes[day] + " of " + sizes[31]);
            }
        }
    }

    /** One of twenty has a large payload, which PostgreSQL keeps beside the table. */
    private static void appendDay(TestRows rows, int day) {
        rows.run("""
                insert into events (position, type, conversation_id, event_at, received_at, payload)
                select %1$d + n, case mod(n, 50) when 0 then 'log.entry' else 'message.created' end,
                    md5(%2$d || '-' || mod(n, 50)), now(), now() - interval '1 day' * (%3$d - n / %4$d.0),
                    case mod(n, 20) when 0 then large else repeat(md5(n::text), 10) end
                from generate_series(1, %4$d) as n,
                    (select string_agg(md5(i::text), '') as large from generate_series(1, 160) as i) as one
                """.formatted((day - 1) * EVENTS_A_DAY, day, DAYS - day + 1, EVENTS_A_DAY));
    }
}
