package dev.agentpipe.db.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.db.web.WebDatabase.Counts;
import dev.agentpipe.db.web.WebDatabase.EventCount;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class WebDatabaseTest {

    private static final long PLENTY = 1 << 20;

    private WebTables tables;

    @BeforeEach
    void create() throws SQLException {
        tables = WebTables.create();
    }

    @AfterEach
    void close() throws SQLException {
        tables.close();
    }

    @Test
    void row_hasItsColumnsAsTheyAre() throws SQLException {
        tables.insert(
                "conversations",
                "id, name, mode, initialPrompt, startedAt, status, maxTurns, totalCost, metadata",
                "c",
                "n\uFFFD\uD83D\uDE80",
                "m",
                "",
                "2025-10-26 02:30:00.123",
                "ERROR",
                null,
                "NaN",
                "{\"b\": 1.10, \"a\": null}");

        WebRow row;
        try (WebDatabase database = WebDatabase.open(tables.url())) {
            row = database.conversations("", 10, PLENTY).get(0);
        }
        assertEquals("n\uFFFD\uD83D\uDE80", row.text("name"));
        assertEquals("", row.text("initialPrompt"));
        assertEquals(
                Instant.parse("2025-10-26T02:30:00.123Z"), row.instant("startedAt"), "UTC, also where 2:30 is twice");
        assertEquals("ERROR", row.text("status"));
        assertNull(row.number("maxTurns"));
        assertTrue(row.decimal("totalCost").isNaN());
        assertEquals("{\"a\": null, \"b\": 1.10}", row.text("metadata"));
        assertEquals(0, row.number("messageCount"));
        assertNull(row.text("no such column"));
    }

    @Test
    void messages_inPages_areAllThereInTheOrderOfTheirTimes() throws SQLException {
        conversation("c");
        conversation("d");
        tables.execute("""
                insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role", "timestamp")
                select 'm' || n, 'c', '', '', 'a', repeat('x', n), 'agent', timestamp '2025-01-01' + n / 10 * interval '1 hour'
                from generate_series(1, 100) as n
                """);
        List<String> ids = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        try (WebDatabase database = WebDatabase.open(tables.url())) {
            WebRow last = null;
            for (var page = database.messages("c", last, 30, 1_000);
                    !page.isEmpty();
                    page = database.messages("c", last, 30, 1_000)) {
                page.forEach(row -> ids.add(row.id()));
                sizes.add(page.size());
                last = page.get(page.size() - 1);
            }
            assertEquals(List.of(), database.messages("d", null, 30, 1_000));
        }
        assertEquals(100, ids.size());
        assertEquals(100, ids.stream().distinct().count());
        assertEquals("m1", ids.get(0));
        assertTrue(sizes.get(0) == 30 && sizes.get(sizes.size() - 2) < 12, "bounded by rows, later by bytes: " + sizes);
    }

    @Test
    void text_beyondAllBounds_isNotRead() throws SQLException {
        conversation("c");
        tables.execute("""
                insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role")
                select 'm', 'c', '', '', 'a', repeat('x', %d), 'agent' union all
                select 'n', 'c', '', '', 'a', repeat('x', %d), 'agent'
                """.formatted(WebTable.TEXT_BYTES_MAX, WebTable.TEXT_BYTES_MAX + 1));
        try (WebDatabase database = WebDatabase.open(tables.url())) {
            List<WebRow> first = database.messages("c", null, 10, PLENTY);
            List<WebRow> second = database.messages("c", first.get(0), 10, PLENTY);

            assertEquals(1, first.size(), "one row is a page however large it is");
            assertEquals(WebTable.TEXT_BYTES_MAX, first.get(0).text("content").length());
            assertEquals(List.of("content"), second.get(0).tooLarge());
            assertNull(second.get(0).text("content"));
        }
    }

    @Test
    void whatComesMeanwhile_isNotSeen_andNothingCanBeWritten() throws SQLException {
        conversation("c");
        try (WebDatabase database = WebDatabase.open(tables.url())) {
            conversation("d");
            assertEquals(new Counts(1, 0, 0), database.counts());
            assertEquals(1, database.conversations("", 10, PLENTY).size());
        }
    }

    @Test
    void events_areCountedByKind() throws SQLException {
        conversation("c");
        tables.insert("events", "id, type, conversationId, data", "1", "conversation.error", "c", "{}")
                .insert("events", "id, type, conversationId, data", "2", "conversation.error", "gone", "{}")
                .insert("events", "id, type, conversationId, data", "3", "conversation.error", null, "{}")
                .insert("events", "id, type, conversationId, data", "4", "bridge.connected", null, "{}");
        try (WebDatabase database = WebDatabase.open(tables.url())) {
            assertEquals(
                    List.of(
                            new EventCount("bridge.connected", false, false, 1),
                            new EventCount("conversation.error", false, false, 1),
                            new EventCount("conversation.error", true, false, 1),
                            new EventCount("conversation.error", true, true, 1)),
                    database.eventCounts(10).stream()
                            .sorted((a, b) -> a.toString().compareTo(b.toString()))
                            .toList());
            assertEquals(
                    List.of("1"),
                    database.events("c", List.of("conversation.error"), null, 10, PLENTY).stream()
                            .map(WebRow::id)
                            .toList());
            assertEquals(
                    List.of("4"),
                    database.events(null, List.of("bridge.connected"), null, 10, PLENTY).stream()
                            .map(WebRow::id)
                            .toList());
        }
    }

    @Test
    void firstVersion_withoutSummariesOrEvents_canBeRead() throws SQLException {
        try (WebTables first = WebTables.createFirstVersion()) {
            first.execute("drop table events")
                    .insert("conversations", "id, name, mode, initialPrompt", "c", "n", "m", "p");
            try (WebDatabase database = WebDatabase.open(first.url())) {
                assertNull(database.conversations("", 1, PLENTY).get(0).text("summaryText"));
                assertEquals(List.of(), database.events("c", List.of("conversation.error"), null, 1, PLENTY));
                assertEquals(List.of(), database.eventCounts(1));
            }
        }
    }

    @Test
    void otherDatabases_areRefusedInWords() {
        String empty = TestPostgres.newDatabase();
        String none = empty.replaceFirst("/test_[0-9]+", "/no_such_database");

        WebDatabaseException noTables = assertThrows(WebDatabaseException.class, () -> WebDatabase.open(empty));
        assertTrue(noTables.getMessage().contains("is none of agentpipe-web: it has no table"), noTables.getMessage());
        WebDatabaseException nothing = assertThrows(WebDatabaseException.class, () -> WebDatabase.open(none));
        assertTrue(nothing.getMessage().contains("no_such_database"), nothing.getMessage());
        assertFalse((noTables.getMessage() + nothing.getMessage()).contains("agentpipe:"), "no password");
        assertThrows(IllegalArgumentException.class, () -> WebDatabase.open("mysql://x"));
    }

    private void conversation(String id) throws SQLException {
        tables.insert("conversations", "id, name, mode, initialPrompt", id, "n", "m", "p");
    }
}
