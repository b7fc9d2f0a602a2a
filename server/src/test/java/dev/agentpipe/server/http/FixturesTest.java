package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Everything that the real client sends, posted, and what is stored then compared with trees of the same bytes. */
final class FixturesTest {

    private static final JsonMapper TREE = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private static final List<String> MESSAGE_COLUMNS = List.of(
            "message_id",
            "agent_id",
            "agent_type",
            "agent_name",
            "role",
            "content",
            "model",
            "sequence_number",
            "turn_number",
            "tokens_used",
            "input_tokens",
            "output_tokens",
            "cost",
            "duration_ms");
    private static final List<String> AGENT_COLUMNS =
            List.of("agent_id", "agent_type", "name", "model", "prompt", "cli_version");

    /** What no fixture has: figures beyond 32 and beyond 53 bits, decimals beyond a double, a later end than the last. */
    private static final List<String> OWN = List.of(
            message(
                    "big-1",
                    "\"tokens_used\":4294967296,\"input_tokens\":9007199254740993,\"turn_number\":2147483648,"
                            + "\"output_tokens\":0,\"cost\":0.1234567890123456789012345678,\"duration_ms\":9223372036854775807"),
            message("big-2", "\"input_tokens\":3,\"output_tokens\":4,\"cost\":999999999999999.99,\"duration_ms\":1"),
            message("big-3", "\"sequence_number\":9223372036854775807,\"cost\":0"),
            "{\"type\":\"conversation.completed\",\"timestamp\":\"2026-11-22T15:00:00+01:00\",\"data\":{"
                    + "\"conversation_id\":\"reported\",\"status\":\"completed\",\"total_messages\":4294967297,"
                    + "\"total_turns\":9007199254740993,\"total_tokens\":9223372036854775807,"
                    + "\"total_cost\":12345678901234.0123456789,\"duration_seconds\":0.123456789}}");

    private static String message(String id, String figures) {
        return "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T14:34:22.1234567Z\",\"data\":{"
                + "\"conversation_id\":\"big\",\"message_id\":\"" + id + "\",\"agent_type\":\"claude\","
                + "\"content\":\"x\"," + figures + "}}";
    }

    /** A request, its first answer, and what was sent as a tree. */
    private record Sent(Fixtures.Request request, RawHttp.Answer answer, JsonNode event) {
        String eventId() {
            return answer.header("Event-Id");
        }

        long position() {
            return Long.parseLong(eventId().substring(eventId().lastIndexOf('-') + 1));
        }

        String conversation() {
            return event.at("/data/conversation_id").stringValue(null);
        }
    }

    private static TestServer server;
    private static Stored stored;
    private static List<Sent> all;

    @BeforeAll
    static void sendAll() throws IOException {
        server = TestServer.start();
        stored = new Stored(server);
        all = new ArrayList<>();
        List<Fixtures.Request> requests = new ArrayList<>(Fixtures.all());
        OWN.forEach(body -> requests.add(Fixtures.Request.of(body)));
        try (RawHttp http = RawHttp.open(server.port())) {
            for (Fixtures.Request request : requests) {
                all.add(new Sent(request, http.write(request.text()).read(), TREE.readTree(request.body())));
            }
        }
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    @Test
    void bodies_all_areAccepted() {
        assertTrue(all.size() >= 150, () -> all.size() + " bodies");
        int known = 0;
        for (Sent sent : all) {
            assertTrue(sent.answer.status() == 200 || sent.answer.status() == 201, sent::toString);
            known += sent.answer.status() == 200 ? 1 : 0;
        }
        // Some bodies are in several files; each is new once.
        long distinct = all.stream().map(sent -> sent.request.body()).distinct().count();
        assertEquals(distinct, all.size() - known);
        assertEquals(distinct, stored.count("events", "conversation_id is distinct from 'new'"));
    }

    @Test
    void bodies_ofTheCli_areAnsweredWithoutBody() {
        List<Sent> recorded = all.stream()
                .filter(sent -> sent.request.file().startsWith("capture."))
                .toList();
        assertTrue(recorded.size() >= 7);
        for (Sent sent : recorded) {
            assertTrue(sent.request.text().contains("\r\nUser-Agent: Go-http-client/1.1\r\n"));
            assertEquals("0", sent.answer.header("Content-Length"));
        }
    }

    @Test
    void events_ofAllBodies_areInTheLogAsSent() {
        for (Sent sent : all) {
            JsonNode row = stored.row("events", "position = ?", sent.position());
            assertColumn("type", ExpectedConversation.type(sent.event), row);
            assertColumn("conversation_id", sent.conversation(), row);
            assertColumn("event_at", ExpectedConversation.at(sent.event), row);
            String payload = row.get("payload").stringValue();
            ObjectNode expected = sent.event.deepCopy().asObject();
            if (expected.get("data").asObject().remove("command") == null) {
                assertEquals(sent.request.body(), payload);
            } else {
                assertEquals(expected.toString(), TREE.readTree(payload).toString());
            }
        }
    }

    @Test
    void messages_ofAllBodies_haveTheValuesSent() {
        int messages = 0;
        for (Sent sent : all) {
            if (ExpectedConversation.type(sent.event).equals("message.created")) {
                messages++;
                JsonNode row = stored.row(
                        "messages", "conversation_id = ? and position = ?", sent.conversation(), sent.position());
                assertColumns(MESSAGE_COLUMNS, sent.event.get("data"), row);
                assertColumn("created_at", ExpectedConversation.at(sent.event), row);
            }
        }
        assertTrue(messages >= 36, messages + " messages");
    }

    @Test
    void participants_ofAllStarts_haveTheValuesSent() {
        int starts = 0;
        for (Sent sent : all) {
            if (ExpectedConversation.type(sent.event).equals("conversation.started")) {
                starts++;
                JsonNode participants = sent.event.at("/data/participants");
                List<JsonNode> rows =
                        stored.rows("conversation_agents", "conversation_id = ? order by ordinal", sent.conversation());
                assertEquals(participants.size(), rows.size());
                for (int i = 0; i < rows.size(); i++) {
                    assertColumns(AGENT_COLUMNS, participants.get(i), rows.get(i));
                }
            }
        }
        assertTrue(starts >= 17, starts + " starts");
    }

    @Test
    void conversations_ofAllBodies_areWhatTheirEventsMake() {
        Map<String, Map<String, JsonNode>> bodies = new LinkedHashMap<>();
        for (Sent sent : all) {
            if (sent.conversation() != null) {
                bodies.computeIfAbsent(sent.conversation(), id -> new LinkedHashMap<>())
                        .put(sent.request.body(), sent.event);
            }
        }
        int compared = 0;
        for (String id : bodies.keySet()) {
            List<JsonNode> events = List.copyOf(bodies.get(id).values());
            if (events.stream()
                    .allMatch(event -> ExpectedConversation.type(event).equals("log.entry"))) {
                assertEquals(0, stored.count("conversations", "id = ?", id), "log entries make no conversation");
                continue;
            }
            compared++;
            JsonNode row = stored.row("conversations_with_totals", "id = ?", id);
            new ExpectedConversation(events).columns().forEach((column, value) -> assertColumn(column, value, row));
        }
        assertTrue(compared >= 20, compared + " conversations");
    }

    @Test
    void bodies_sentAgain_changeNothingAndGetTheSameIds() throws IOException {
        String before = stored.fingerprint();
        try (RawHttp http = RawHttp.open(server.port())) {
            for (Sent sent : all) {
                RawHttp.Answer again = http.write(sent.request.text()).read();
                assertEquals(200, again.status(), sent.request.body());
                assertEquals(sent.eventId(), again.header("Event-Id"));
                assertEquals(sent.answer.header("Location"), again.header("Location"));
                if (!again.body().isEmpty()) {
                    assertTrue(again.json().get("duplicate").booleanValue());
                    assertEquals(sent.eventId(), again.json().get("event_id").stringValue());
                }
            }
        }
        assertEquals(before, stored.fingerprint());
        server.message("new", "new", "x");
        assertNotEquals(before, stored.fingerprint(), "the fingerprint sees an event");
    }

    private static void assertColumns(List<String> columns, JsonNode sent, JsonNode row) {
        columns.forEach(column -> assertColumn(column, sent.path(column), row));
    }

    /** Figures must have all digits that were sent, and no others. */
    private static void assertColumn(String column, Object expected, JsonNode row) {
        String where = column + " of " + row;
        JsonNode actual = row.path(column);
        if (expected == null || (expected instanceof JsonNode node && node.isMissingNode())) {
            assertTrue(actual.isNull(), where);
        } else if (expected instanceof Instant instant) {
            assertEquals(instant, OffsetDateTime.parse(actual.stringValue()).toInstant(), where);
        } else if (expected instanceof BigDecimal decimal) {
            assertEquals(0, decimal.compareTo(actual.decimalValue()), where);
        } else if (expected instanceof JsonNode node && node.isNumber()) {
            assertEquals(
                    node.decimalValue().toPlainString(), actual.decimalValue().toPlainString(), where);
        } else if (expected instanceof JsonNode node) {
            assertEquals(node, actual, where);
        } else {
            assertEquals(expected, actual.stringValue(null), where);
        }
    }
}
