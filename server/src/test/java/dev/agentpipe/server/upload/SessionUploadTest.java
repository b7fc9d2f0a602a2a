package dev.agentpipe.server.upload;

import static dev.agentpipe.server.upload.Uploading.SESSION;
import static dev.agentpipe.server.upload.Uploading.gzip;
import static dev.agentpipe.server.upload.Uploading.upload;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.math.BigDecimal;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Sessions: {@code {"conversation":{…},"agents":[…],"messages":[…]}}. */
final class SessionUploadTest {

    @AutoClose
    private static final TestServer server = TestServer.start();

    @AutoClose
    private static final Stored stored = new Stored(server);

    private final String id = "s-" + UUID.randomUUID();

    /** @param more members of the conversation, each with a comma before it */
    private String session(String more, String... messages) {
        return "{\"conversation\":" + conversation(more) + ",\"agents\":" + AGENTS + ",\"messages\":["
                + String.join(",", messages) + "]}";
    }

    private static final String AGENTS = "[{\"agent_type\":\"claude\",\"agent_name\":\"Alice\",\"model\":\"opus\"},"
            + "{\"agent_type\":\"gemini\",\"agent_name\":\"Bob\",\"agent_id\":\"b\",\"prompt\":\"Be brief.\",\"cli_version\":\"1\"}]";

    private String conversation(String more) {
        return "{\"id\":\"" + id + "\",\"name\":\"A queue\",\"mode\":\"round-robin\",\"initial_prompt\":\"Design it.\","
                + "\"started_at\":\"2026-11-22T10:00:00+01:00\",\"status\":\"COMPLETED\"" + more + "}";
    }

    private static String message(int second, String content, String more) {
        return "{\"agent_type\":\"claude\",\"agent_name\":\"Alice\",\"content\":\"" + content
                + "\",\"timestamp\":\"2026-11-22T09:00:0" + second + ".5Z\"" + more + "}";
    }

    private static void assertStored(int status, int messages, int participants, int duplicates, Answer answer) {
        assertEquals(status, answer.status(), answer::toString);
        assertTrue(answer.json().get("success").asBoolean());
        assertEquals(messages, answer.json().get("messages_created").asInt(), answer::toString);
        assertEquals(participants, answer.json().get("participants_created").asInt(), answer::toString);
        assertEquals(duplicates, answer.json().get("duplicates").asInt(), answer::toString);
    }

    private static Instant instant(JsonNode row, String column) {
        return OffsetDateTime.parse(row.get(column).asString()).toInstant();
    }

    private JsonNode conversationRow() {
        return stored.row("conversations_with_totals", "id = ?", id);
    }

    @Test
    void session_withEverything_isStoredToTheLastDigit() {
        String body = "{\"x\":[1.50,{\"y\":\"\\u0000\"}],\"messages\":["
                + message(
                        1,
                        "one",
                        ",\"message_id\":\"" + id + "-1\",\"agent_id\":\"a\",\"role\":\"agent\",\"model\":\"m\","
                                + "\"sequence_number\":9007199254740993,\"turn_number\":1,\"tokens_used\":10,\"input_tokens\":7,"
                                + "\"output_tokens\":3,\"cost\":0.1234567890123456789,\"duration_ms\":58,\"unknown\":{\"a\":[1]}")
                + "," + message(2, "two\\ud800", "") + "],\"agents\":" + AGENTS + ",\"conversation\":"
                + conversation(
                        ",\"completed_at\":\"2026-11-22T09:01:00.123456789Z\",\"max_turns\":5,\"total_messages\":7,"
                                + "\"total_turns\":3,\"total_tokens\":700,\"total_cost\":0.30000000000000004,\"total_duration\":1234,"
                                + "\"system_info\":{\"os\":\"linux\",\"n\":1.10},\"metadata\":{\"a\":1e400,\"y\":1},"
                                + "\"summary\":{\"short_text\":\"s\",\"text\":\"t\",\"cost\":0.1},\"created_at\":\"2020-01-01T00:00:00Z\","
                                + "\"error_message\":\"oops\",\"source\":\"web\",\"more\":\"kept\",\"y\":2")
                + "}";

        assertStored(201, 2, 2, 0, upload(server, SESSION, body));

        JsonNode row = conversationRow();
        assertEquals("A queue", row.get("name").asString());
        assertEquals("web", row.get("source").asString());
        assertEquals("COMPLETED", row.get("status").asString());
        assertEquals(Instant.parse("2026-11-22T09:01:00.123456Z"), instant(row, "completed_at"));
        assertEquals(Instant.parse("2020-01-01T00:00:00Z"), instant(row, "created_at"));
        assertEquals("7", row.get("total_messages").asString());
        assertEquals("2", row.get("message_count").asString());
        assertEquals("0.30000000000000004", row.get("total_cost").decimalValue().toString());
        assertEquals(0, row.get("total_duration_ms").decimalValue().compareTo(BigDecimal.valueOf(1234)));
        assertEquals("t", row.get("summary_text").asString());
        assertEquals("oops", row.get("error_message").asString());
        assertEquals("1", row.get("error_count").asString());
        assertEquals(
                1,
                stored.count(
                        "conversations",
                        "id = ? and metadata::text = ? and system_info::text = ?",
                        id,
                        "{\"a\":1e400,\"y\":1,\"x\":[1.50,{\"y\":\"\\u0000\"}],\"more\":\"kept\"}",
                        "{\"os\":\"linux\",\"n\":1.10}"));
        List<JsonNode> messages = stored.rows("messages", "conversation_id = ? order by position", id);
        assertEquals("9007199254740993", messages.get(0).get("sequence_number").asString());
        assertEquals(
                "0.1234567890123456789",
                messages.get(0).get("cost").decimalValue().toString());
        assertEquals("two\uFFFD", messages.get(1).get("content").asString());
        List<JsonNode> agents = stored.rows("conversation_agents", "conversation_id = ? order by ordinal", id);
        assertEquals("claude-0", agents.get(0).get("agent_id").asString());
        assertEquals("b", agents.get(1).get("agent_id").asString());
        assertEquals("Be brief.", agents.get(1).get("prompt").asString());
    }

    @Test
    void session_again_changesNothingAndWithMoreAddsThat() {
        String one = message(1, "one", "");
        assertStored(201, 2, 2, 0, upload(server, SESSION, session("", one, message(2, "two", ""))));
        String before = stored.fingerprint();
        assertStored(200, 0, 0, 2, upload(server, SESSION, session("", one, message(2, "two", ""))));
        assertEquals(before, stored.fingerprint());

        assertStored(
                201,
                1,
                0,
                2,
                upload(server, SESSION, session("", one, message(3, "three", ""), message(2, "two", ""))));
        assertEquals("3", conversationRow().get("message_count").asString());
        assertEquals("COMPLETED", conversationRow().get("status").asString());
        assertEquals(2, stored.count("events", "conversation_id = ? and type = 'session.uploaded'", id));
        assertEquals(2, stored.count("events", "conversation_id = ?", id));
    }

    @Test
    void session_withoutId_isKnownByItsBytes() {
        String body = session("").replace("\"id\":\"" + id + "\",", "");
        Answer first = upload(server, SESSION, body);
        assertEquals(201, first.status());
        Answer packed =
                upload(server, SESSION, gzip(body.getBytes(StandardCharsets.UTF_8)), "Content-Encoding", "gzip");
        assertStored(200, 0, 0, 0, packed);
        assertEquals(first.json().get("conversation_id"), packed.json().get("conversation_id"));
        Answer other = upload(server, SESSION, body.replace("A queue", "Another"));
        assertEquals(201, other.status());
        assertNotEquals(first.json().get("conversation_id"), other.json().get("conversation_id"));
    }

    @Test
    void session_ofALiveConversation_completesItAndRepeatsNoMessage() {
        server.ingest(
                "{\"type\":\"conversation.started\",\"timestamp\":\"2026-11-22T09:00:00Z\",\"data\":{\"conversation_id\":\""
                        + id + "\",\"mode\":\"free\",\"initial_prompt\":\"live\",\"participants\":[{\"agent_id\":\"x\","
                        + "\"agent_type\":\"claude\",\"name\":\"Alice\"}]}}");
        server.ingest(
                "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T09:00:01.5Z\",\"data\":{\"conversation_id\":\""
                        + id + "\",\"message_id\":\"" + id
                        + "\",\"agent_type\":\"claude\",\"content\":\"one\",\"cost\":1}}");

        String body = session(
                ",\"completed_at\":\"2026-11-22T09:00:00Z\"",
                message(1, "one", ",\"cost\":9"),
                message(1, "other", ""),
                message(2, "one", ""));
        assertStored(201, 2, 1, 1, upload(server, SESSION, body));

        JsonNode row = conversationRow();
        assertEquals("A queue", row.get("name").asString());
        assertEquals("cli-stream", row.get("source").asString());
        assertEquals("live", row.get("initial_prompt").asString());
        assertEquals("COMPLETED", row.get("status").asString());
        assertEquals("3", row.get("message_count").asString());
        assertEquals("1", row.get("total_cost").asString());
        String before = stored.fingerprint();
        assertStored(200, 0, 0, 3, upload(server, SESSION, body));
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void session_ofADeletedConversation_bringsNothingBack() {
        String body = session("", message(1, "one", ""));
        assertStored(201, 1, 2, 0, upload(server, SESSION, body));
        int status = server.send(HttpRequest.newBuilder(server.uri("/api/conversations/" + id))
                        .header("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                        .DELETE()
                        .build())
                .status();
        assertTrue(status == 200 || status == 204, () -> "deleted: " + status);
        String before = stored.fingerprint();
        assertStored(200, 0, 0, 1, upload(server, SESSION, body));
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void session_ofManyMessagesThatCameLive_findsThemAll() {
        StringBuilder live = new StringBuilder();
        List<String> messages = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            live.append(
                            "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T09:00:01.5Z\",\"data\":{\"conversation_id\":\"")
                    .append(id + "\",\"message_id\":\"" + id + i)
                    .append("\",\"agent_type\":\"claude\",\"content\":\"number " + i + "\"}}\n");
            messages.add(message(1, "number " + i, ""));
        }
        assertEquals(201, upload(server, Uploading.EVENT_FILE, live.toString()).status());
        messages.add(message(1, "number 2000", ""));
        assertStored(201, 1, 2, 2_000, upload(server, SESSION, session("", messages.toArray(String[]::new))));
        assertEquals("2001", conversationRow().get("message_count").asString());
    }

    @Test
    void session_thenItsStartLive_isARepeatAndTheNextEventGoesBehindIt() throws Exception {
        try (RawStream stream = server.stream("/api/realtime/stream?conversationId=" + id)) {
            stream.block();
            assertStored(201, 2, 2, 0, upload(server, SESSION, session("", message(1, "a", ""), message(2, "b", ""))));
            String uploaded = stream.event();
            assertTrue(uploaded.contains("\"type\":\"session.uploaded\""), uploaded);
            assertTrue(uploaded.contains("\"messages_created\":2,\"participants_created\":2"), uploaded);
            long next = server.message(id, id + "-live", "c");
            assertEquals(next, RawStream.position(stream.event()));
            assertEquals(
                    stored.count("messages", "conversation_id = ?", id),
                    stored.count("messages", "conversation_id = ? and position <= ?", id, next));
            assertTrue(RawStream.position(uploaded) < next);
        }
    }

    @Test
    void status_ofASession_isWhatItSays() {
        for (String status : List.of("ACTIVE", "COMPLETED", "INTERRUPTED", "ERROR")) {
            String body = session(",\"total_cost\":5", message(9, "late", ",\"cost\":1"))
                    .replace("COMPLETED", status)
                    .replace(id, id + status);
            assertStored(201, 1, 2, 0, upload(server, SESSION, body));
            JsonNode row = stored.row("conversations_with_totals", "id = ?", id + status);
            assertEquals(status, row.get("status").asString());
            assertEquals(
                    status.equals("ACTIVE") ? "1" : "5", row.get("total_cost").asString());
        }
    }

    @Test
    void violations_areAllListedWithTheirPlaces() {
        String before = stored.fingerprint();
        String body = session(
                        ",\"status2\":1,\"completed_at\":\"yesterday\",\"total_cost\":-1,\"system_info\":[],\"source\":\"x\"",
                        "{}",
                        "5",
                        message(1, "x", ",\"tokens_used\":1.5,\"cost\":\"1\""))
                .replace("\"mode\":\"round-robin\",", "")
                .replace("COMPLETED", "DONE")
                .replace("\"agent_id\":\"b\"", "\"agent_id\":\"claude-0\"");

        Answer answer = upload(server, SESSION, body);

        assertEquals(400, answer.status());
        assertEquals("invalid_upload", answer.json().get("code").asString());
        List<String> pointers = answer.json()
                .get("errors")
                .valueStream()
                .map(error -> error.get("pointer").asString())
                .toList();
        assertEquals(
                List.of(
                        "/messages/0/timestamp",
                        "/messages/0/agent_type",
                        "/messages/0/agent_name",
                        "/messages/0/content",
                        "/messages/1",
                        "/messages/2/tokens_used",
                        "/messages/2/cost",
                        "/agents/1/agent_id",
                        "/conversation/mode",
                        "/conversation/completed_at",
                        "/conversation/source",
                        "/conversation/status",
                        "/conversation/system_info",
                        "/conversation/total_cost"),
                pointers);
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void document_thatIsNoSession_isRefusedWithTheReason() {
        assertRefused(400, "invalid_json", "");
        assertRefused(400, "invalid_json", "[]");
        assertRefused(400, "invalid_json", "{\"conversation\":{");
        assertRefused(400, "invalid_json", session("") + "x");
        assertRefused(400, "duplicate_key", session(",\"mode\":\"twice\""));
        assertRefused(400, "too_deep", session(",\"x\":" + "[".repeat(64) + "]".repeat(64)));
        assertRefused(413, "event_too_large", session("", message(1, "x".repeat((1 << 20) + 1), "")));
        assertRefused(413, "event_too_large", session("", message(1, "x", ",\"y\":[" + "1,".repeat(1 << 19) + "1]")));
        assertRefused(400, "invalid_upload", "{}");
        assertRefused(400, "invalid_upload", "{\"conversation\":1,\"agents\":{},\"messages\":null}");
        byte[] latin = session(",\"x\":\"\u00e9\"").getBytes(StandardCharsets.ISO_8859_1);
        assertEquals(
                "invalid_json",
                upload(server, SESSION, latin).json().get("code").asString());
        assertEquals(201, upload(server, SESSION, "\uFEFF" + session("")).status());
    }

    private static void assertRefused(int status, String code, String body) {
        Answer answer = upload(server, SESSION, body);
        assertEquals(status, answer.status(), answer::toString);
        assertEquals(code, answer.json().get("code").asString());
    }

    @Test
    void messageId_ofAnotherMessage_isAConflict() {
        server.message(id, id + "-1", "hello");
        Answer answer = upload(
                server,
                SESSION,
                session("", message(1, "new", ""), message(2, "not hello", ",\"message_id\":\"" + id + "-1\"")));
        assertEquals(409, answer.status());
        assertEquals(
                "/messages/1/message_id", answer.json().at("/errors/0/pointer").asString());
        assertEquals(1, stored.count("messages", "conversation_id = ?", id));
    }
}
