package dev.agentpipe.db.conversations;

import dev.agentpipe.db.TestRows;
import java.util.List;
import java.util.Map;

/**
 * A database with 100,000 conversations, each with two participants or three, and a million messages: 10,000 in one
 * conversation, strewn over the table, 200,000 in another, one after the other. 500 are ACTIVE, the newest ones; 1 of 500 has
 * failed; 1 of 1,000 has a rare agent.
 */
final class SeededConversations {

    static final String BIG = "00000000-0000-0000-0000-0000000000b1";
    static final String HUGE = "00000000-0000-0000-0000-0000000000b2";
    static final int BIG_MESSAGES = 10_000;

    private static final List<String> TABLES = List.of("conversations", "conversation_agents", "messages");

    private SeededConversations() {}

    static void fill(TestRows rows) {
        for (String table : TABLES) { // it would keep the last vacuum from seeing all
            rows.run("alter table " + table + " set (autovacuum_enabled = off)");
        }
        rows.run("alter table messages set unlogged, drop constraint messages_pkey");
        // Made at the end, which takes half as long.
        List<Map<String, String>> indexes = rows.rows("select indexname, indexdef from pg_indexes"
                + " where tablename in ('conversations', 'conversation_agents') and indexname not like '%_pkey'");
        indexes.forEach(index -> rows.run("drop index " + index.get("indexname")));
        rows.run("""
                insert into conversations (id, source, mode, initial_prompt, started_at, status_order, status,
                    completed_at, first_event_at, last_event_at, last_received_at, message_count, message_tokens,
                    message_cost, message_duration_ms, reported_tokens, created_at,
                    settled_messages, settled_tokens, settled_cost, settled_duration_ms)
                select case n when 99001 then '%s' when 99002 then '%s' else md5(n::text)::uuid::text end,
                    case when mod(n, 10) = 0 then 'cli-upload' else 'cli-stream' end,
                    (array['round-robin', 'reactive', 'free-form'])[1 + mod(n, 3)],
                    repeat('Design a small job queue. ', 10), at, 0, status,
                    case when status <> 'ACTIVE' then at + interval '10 min' end, at, at, at, 10, mod(n * 7919, 100003),
                    mod(n * 7919, 100003) * 0.00001, mod(n * 31, 10007),
                    case when mod(n, 2) = 0 then mod(n * 7919, 100003) end, at, case when status <> 'ACTIVE' then 10 end,
                    case when status <> 'ACTIVE' then mod(n * 7919, 100003) end,
                    case when status <> 'ACTIVE' then mod(n * 7919, 100003) * 0.00001 end,
                    case when status <> 'ACTIVE' then mod(n * 31, 10007) end
                from (
                    select n, timestamptz '2026-01-01' + n * interval '5 min',
                        case when n > 99500 then 'ACTIVE' when mod(n, 500) = 0 then 'ERROR'
                            when mod(n, 7) = 0 then 'INTERRUPTED' else 'COMPLETED' end
                    from generate_series(1, 100000) as n) as made (n, at, status)
                """.formatted(BIG, HUGE));
        rows.run("""
                insert into conversation_agents (conversation_id, ordinal, agent_id, agent_type, name, model)
                select id, o, 'a' || o, case when o = 2 then 'rare' when even then 'claude' else 'gemini' end, 'name',
                    case when o = 2 then 'rare-1' when even then 'claude-' || mod(hash, 3) else 'gemini-x' end
                from conversations, lateral (select abs(hashtext(id)::bigint)) as hashed (hash),
                    generate_series(0, 2) as o, lateral (select mod(hash + o, 2) = 0) as parity (even)
                where o < 2 or mod(hash, 1000) = 0
                """);
        rows.run("""
                insert into messages (conversation_id, position, message_id, agent_id, agent_type, agent_name, role, content,
                    model, sequence_number, turn_number, tokens_used, cost, duration_ms, created_at)
                select case when n <= 200000 then '%s' when mod(n, 80) = 0 then '%s'
                        else md5((n / 10)::text)::uuid::text end,
                    n, 'm' || n, 'a0', 'claude', 'Alice', 'agent', repeat('What was said here. ', 10), 'claude-1',
                    case when n <= 200000 then 200001 - n else n end, 1, 100, 0.0001, 50,
                    timestamptz '2026-01-01' + n * interval '1 s'
                from generate_series(1, 1000000) as n
                """.formatted(HUGE, BIG));
        rows.run(
                "alter table messages add primary key (conversation_id, position) include (sequence_number, created_at)");
        indexes.forEach(index -> rows.run(index.get("indexdef")));
        for (String table : TABLES) {
            vacuum(rows, table);
        }
    }

    /** Until whole pages are known to be visible: what PostgreSQL does by itself meanwhile may keep one from it. */
    private static void vacuum(TestRows rows, String table) {
        for (int tries = 0; tries < 20; tries++) {
            rows.run("vacuum (analyze) " + table);
            String invisible =
                    rows.value("select relpages - relallvisible from pg_class where oid = '" + table + "'::regclass");
            if (Integer.parseInt(invisible) < 50) {
                return;
            }
        }
        throw new IllegalStateException("pages of " + table + " stay invisible");
    }
}
