package dev.agentpipe.db.conversations;

import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.local.TestPostgres;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How long the reads of conversations take in PostgreSQL and on the way from it, among 100,000 conversations and a million
 * messages: {@code bin/bench reads [PART OF A NAME]}. No test: times are for a quiet machine.
 */
public final class ConversationReadTimes {

    private static final int ROUNDS = 200;

    private ConversationReadTimes() {}

    public static void main(String[] arguments) {
        String url = TestPostgres.newDatabase();
        try (Database database = Database.open(TestPostgres.settings(url));
                TestRows rows = new TestRows(url)) {
            SeededConversations.fill(rows);
            System.out.printf("%-60s %9s %9s%n", "", "p50 [ms]", "p95 [ms]");
            String part = arguments.length == 0 ? "" : arguments[0];
            reads(database.conversations()).forEach((name, read) -> {
                if (name.contains(part)) {
                    measure(name, read);
                }
            });
        }
        System.exit(0); // the pool's threads and PostgreSQL's hook
    }

    private static Map<String, Runnable> reads(Conversations conversations) {
        Map<String, Runnable> reads = new LinkedHashMap<>();
        for (ConversationOrder.By by : ConversationOrder.By.values()) {
            ConversationOrder order = new ConversationOrder(by, true);
            reads.put(
                    "first page, total, by " + by,
                    () -> conversations.list(ConversationFilter.ALL, order, null, 0, 20));
            reads.put(
                    "page 500 of 20, total, by " + by,
                    () -> conversations.list(ConversationFilter.ALL, order, null, 9_980, 20));
            ConversationPlace last = conversations
                    .list(ConversationFilter.ALL, order, null, 9_980, 20)
                    .places()
                    .get(19);
            reads.put("page by cursor, by " + by, () -> conversations.list(ConversationFilter.ALL, order, last, 0, 20));
            for (String status : List.of("COMPLETED", "ERROR", "ACTIVE")) {
                reads.put(
                        "first page, total, " + status + ", by " + by,
                        () -> conversations.list(filter(status, null, null), order, null, 0, 20));
            }
            for (String agent : List.of("claude", "rare")) {
                reads.put(
                        "first page, total, agent " + agent + ", by " + by,
                        () -> conversations.list(filter(null, agent, null), order, null, 0, 20));
            }
            reads.put(
                    "first page, total, agent and model, by " + by,
                    () -> conversations.list(filter("COMPLETED", "claude", "claude-1"), order, null, 0, 20));
        }
        reads.put(
                "conversation of 10,000 messages",
                () -> conversations.find(SeededConversations.BIG, null, 0, SeededConversations.BIG_MESSAGES, 1L << 30));
        reads.put(
                "page 100 of 50 messages, of 10,000",
                () -> conversations.find(SeededConversations.BIG, null, 4_950, 50, 1L << 30));
        reads.put(
                "page 2,000 of 50 messages, of 200,000",
                () -> conversations.find(SeededConversations.HUGE, null, 99_950, 50, 1L << 30));
        for (String status : List.of("ACTIVE", "COMPLETED", "ERROR")) {
            reads.put("50 recent messages, " + status, () -> conversations.recent(status, 50, 1L << 30));
        }
        return reads;
    }

    private static ConversationFilter filter(String status, String agentType, String model) {
        return new ConversationFilter(
                status == null ? List.of() : List.of(status),
                Optional.empty(),
                Optional.empty(),
                Optional.ofNullable(agentType),
                Optional.ofNullable(model),
                Optional.empty(),
                Optional.empty());
    }

    private static void measure(String name, Runnable read) {
        for (int i = 0; i < ROUNDS / 4; i++) {
            read.run();
        }
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < ROUNDS; i++) {
            long start = System.nanoTime();
            read.run();
            millis.add((System.nanoTime() - start) / 1e6);
        }
        Collections.sort(millis);
        System.out.printf("%-60s %9.2f %9.2f%n", name, millis.get(ROUNDS / 2), millis.get(ROUNDS * 95 / 100));
    }
}
