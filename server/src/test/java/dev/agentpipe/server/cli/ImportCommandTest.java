package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.web.WebTables;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The command as its user sees it: from a real old database to a real server. */
final class ImportCommandTest {

    private static final String MESSAGE = "id, conversationId, agentId, agentType, agentName, role, content, timestamp";
    private static final String CUID = "cm4x9q2v70000v8j4h2k1abcdefghi";

    @TempDir
    private Path home;

    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    @Test
    void oldDatabase_isMovedIn_mergesWithWhatCameLive_andARepeatChangesNothing() throws Exception {
        try (TestServer server = TestServer.start();
                Stored stored = new Stored(server);
                WebTables old = WebTables.create()) {
            sendLive(server);
            fillAsTheWebDid(old);
            fillOthers(old);

            assertEquals(0, run(server, old), () -> out + "\n" + err);
            assertTrue(
                    out.toString()
                            .contains("In the old database: 3 conversations, 6 messages, 4 participants\n"
                                    + "In the server:       3 conversations, 6 messages, 4 participants\n"),
                    out.toString());
            assertTrue(out.toString().endsWith("All of it is there." + System.lineSeparator()), out.toString());
            assertEquals("left out: n1: cost NaN", err.toString().strip());

            assertEquals(3, stored.count("conversations", "true"));
            JsonNode both = stored.row("conversations", "id = ?", "both");
            assertEquals("COMPLETED", both.get("status").asString());
            assertEquals("cli-stream", both.get("source").asString());
            assertEquals(1, both.get("error_count").asInt(), "the error came live");
            assertEquals(2, both.get("message_count").asInt());
            assertEquals(7, both.get("reported_messages").asInt());
            assertEquals("0.30123", both.get("message_cost").asString(), "exact, of both ways");
            assertEquals(2, stored.count("conversation_agents", "conversation_id = ?", "both"));
            JsonNode second = stored.row("messages", "message_id = ?", "m2");
            assertEquals("claude-0", second.get("agent_id").asString());

            JsonNode web = stored.row("conversations", "id = ?", CUID);
            assertEquals("web", web.get("source").asString());
            assertEquals("ERROR", web.get("status").asString());
            assertEquals("No Docker.", web.get("error_message").asString());
            assertEquals(
                    "running",
                    web.at("/metadata/agentpipe_web/container_status").asString());
            assertEquals(
                    1_000_000,
                    stored.row("messages", "message_id = ?", "n2")
                            .get("content")
                            .asString()
                            .length());
            assertEquals(
                    "ACTIVE",
                    stored.row("conversations", "id = ?", "empty").get("status").asString());

            String before = stored.fingerprint();
            assertEquals(0, run(server, old));
            assertTrue(
                    out.toString().contains("3 conversations looked at, 3 of them sent before. 0 new messages."),
                    out.toString());
            assertEquals(0, run(server, old, "--again"));
            assertEquals(before, stored.fingerprint());
        }
        assertFalse((out.toString() + err).contains(TestServer.KEY), "the key is not shown");
    }

    /** What the server refuses, and what it has lost, is found out by the exit code. */
    @Test
    void rowsThatCannotBeStored_areNamed_andTheRestIsThere() throws Exception {
        try (TestServer server = TestServer.start();
                Stored stored = new Stored(server);
                WebTables old = WebTables.create()) {
            old.insert("conversations", "id, name, mode, initialPrompt", "c", "n", "m", "p");
            old.insert("conversations", "id, name, mode, initialPrompt", "x".repeat(300), "n", "m", "p");
            old.execute("""
                    insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role")
                    select 'm' || n, 'c', '', '', case n when 3 then '' else 'a' end, repeat('x', n * 262144), 'agent'
                    from generate_series(1, 9) as n
                    """);

            assertEquals(1, run(server, old, "--json"));
            JsonNode result = JsonMapper.shared().readTree(out.toString());
            assertEquals(2, stored.count("messages", "conversation_id = ?", "c"), () -> err.toString());
            assertEquals(8, result.get("refused").asInt(), () -> out.toString());
            assertEquals(0, result.get("missing").asInt());
            assertTrue(err.toString().contains("message m3 of conversation c: agent_type: "), err.toString());
            assertTrue(err.toString().contains("message m9 of conversation c: content is larger than"), err.toString());
            assertTrue(err.toString().contains("conversation xxx"), err.toString());
        }
    }

    @Test
    void source_thatIsNone_isToldWithoutItsPassword() throws Exception {
        Map<String, String> environment = Map.of("HOME", home.toString(), "AGENTPIPE_STREAM_API_KEY", TestServer.KEY);

        assertEquals(2, run(environment));
        assertTrue(err.toString().startsWith("from where? Set IMPORT_DATABASE_URL"), err.toString());
        assertEquals(2, run(environment, "--from", "mysql://u:secret@h/d"));
        assertTrue(err.toString().startsWith("--from must start with postgresql://"), err.toString());
        assertFalse(err.toString().contains("secret"), err.toString());
        assertEquals(1, run(environment, "--from", "postgresql://u:secret@127.0.0.1:1/d"));
        assertTrue(err.toString().contains("the old database at 127.0.0.1:1/d cannot be read"), err.toString());
        assertFalse(err.toString().contains("secret"), err.toString());
    }

    private static void sendLive(TestServer server) {
        String[] events = {
            "{\"type\":\"conversation.started\",\"timestamp\":\"2025-01-01T10:00:00.123456789Z\",\"data\":{\"conversation_id\":\"both\","
                    + "\"mode\":\"reactive\",\"initial_prompt\":\"p\",\"participants\":["
                    + "{\"agent_id\":\"claude-0\",\"agent_type\":\"claude\",\"name\":\"Alice\"},"
                    + "{\"agent_id\":\"gemini-1\",\"agent_type\":\"gemini\",\"name\":\"Bob\"}]}}",
            "{\"type\":\"message.created\",\"timestamp\":\"2025-01-01T10:00:01.123456789Z\",\"data\":{\"conversation_id\":\"both\","
                    + "\"message_id\":\"m1\",\"agent_id\":\"claude-0\",\"agent_type\":\"claude\",\"agent_name\":\"Alice\","
                    + "\"content\":\"Hi\",\"cost\":0.00123}}",
            "{\"type\":\"conversation.error\",\"timestamp\":\"2025-01-01T10:00:02.5Z\",\"data\":{\"conversation_id\":\"both\","
                    + "\"error_message\":\"No more.\"}}",
            "{\"type\":\"conversation.completed\",\"timestamp\":\"2025-01-01T10:00:04.987654321Z\",\"data\":{\"conversation_id\":\"both\","
                    + "\"status\":\"completed\",\"total_messages\":7}}"
        };
        for (String event : events) {
            assertEquals(201, server.ingest(event).status());
        }
    }

    /** The same, as agentpipe-web keeps it, with the message that got lost on the other way. */
    private static void fillAsTheWebDid(WebTables old) throws Exception {
        old.insert(
                "conversations",
                "id, name, mode, initialPrompt, source, status, startedAt, completedAt, totalMessages, errorMessage",
                "both",
                "Conversation 1/1/2025, 10:00:00 AM",
                "reactive",
                "p",
                "cli-stream",
                "COMPLETED",
                "2025-01-01 10:00:00.123",
                "2025-01-01 10:00:04.987",
                "7",
                "No more.");
        String agent = "id, conversationId, agentId, agentType, agentName";
        old.insert("conversation_agents", agent, "a1", "both", "claude-0", "claude", "Alice");
        old.insert("conversation_agents", agent, "a2", "both", "gemini-1", "gemini", "Bob");
        old.insert(
                "messages",
                MESSAGE + ", cost",
                "m1",
                "both",
                "both-claude",
                "claude",
                "Alice",
                "agent",
                "Hi",
                "2025-01-01 10:00:01.123",
                "0.00123");
        old.insert(
                "messages",
                MESSAGE + ", cost",
                "m2",
                "both",
                "both-claude",
                "claude",
                "Alice",
                "agent",
                "Bye",
                "2025-01-01 10:00:03",
                "0.3");
        old.insert(
                "events",
                "id, createdAt, type, conversationId, data",
                "e1",
                "2025-01-01 10:00:02.6",
                "conversation.error",
                "both",
                "{\"error_message\":\"No more.\"}");
    }

    private static void fillOthers(WebTables old) throws Exception {
        old.insert(
                "conversations",
                "id, name, mode, initialPrompt, status, containerStatus, errorMessage, totalCost, metadata, startedAt",
                CUID,
                "Web \uFFFD",
                "free-form",
                "",
                "ERROR",
                "running",
                "No Docker.",
                "0",
                "{}",
                "2025-02-01");
        String agent = "id, conversationId, agentId, agentType, agentName";
        old.insert("conversation_agents", agent, "b1", CUID, "agent-0", "claude", "Same");
        old.insert("conversation_agents", agent, "b2", CUID, "agent-1", "claude", "Other");
        old.insert(
                "messages",
                MESSAGE + ", cost",
                "n1",
                CUID,
                "agent-0",
                "claude",
                "Same",
                "agent",
                "",
                "2025-02-01 01:00",
                "NaN");
        old.insert(
                "messages",
                MESSAGE,
                "n2",
                CUID,
                "agent-1",
                "claude",
                "Other",
                "agent",
                "x".repeat(1_000_000),
                "2025-02-01 02:00");
        old.insert(
                "messages",
                MESSAGE,
                "n3",
                CUID,
                "agent-1",
                "claude",
                "Other",
                "user",
                "\uD83D\uDE80 \uFFFD",
                "2025-02-01 02:00");
        old.insert("messages", MESSAGE, "n4", CUID, "host", "host", "Host", "system", "-", "2025-02-01 02:01");
        old.insert("conversations", "id, name, mode, initialPrompt", "empty", "n", "m", "p");
        old.insert("events", "id, type, conversationId, data", "e2", "conversation.created", CUID, "{}");
        old.insert(
                "events",
                "id, type, conversationId, data",
                "e3",
                "bridge.connected",
                null,
                "{\"connected_at\":\"2025-02-01T00:00:00Z\"}");
    }

    private int run(TestServer server, WebTables old, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--url", server.uri("").toString()));
        all.addAll(List.of(arguments));
        return run(
                Map.of(
                        "HOME", home.toString(),
                        "AGENTPIPE_STREAM_API_KEY", TestServer.KEY,
                        "IMPORT_DATABASE_URL", old.url()),
                all.toArray(String[]::new));
    }

    private int run(Map<String, String> environment, String... arguments) {
        out = new StringWriter();
        err = new StringWriter();
        List<String> all = new ArrayList<>(List.of("import"));
        all.addAll(List.of(arguments));
        return Commands.of(environment)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }
}
