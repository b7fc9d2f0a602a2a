package dev.agentpipe.server.transfer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.web.WebDatabase;
import dev.agentpipe.db.web.WebTables;
import dev.agentpipe.server.transfer.ImportResult.Counted;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** A real old database, and a server with faults; MovingInTest has the real one. */
final class ImportTest {

    private static final String CONVERSATION = "id, name, mode, initialPrompt, status, source";
    private static final String MESSAGE = "id, conversationId, agentId, agentType, agentName, role, content, timestamp";
    private static final String AGENT = "id, conversationId, agentId, agentType, agentName";

    @TempDir
    private Path state;

    private final List<String> refused = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private final Stop stop = new Stop();
    private SessionServer server;
    private WebTables tables;

    @BeforeEach
    void start() throws Exception {
        server = new SessionServer();
        tables = WebTables.create();
    }

    @AfterEach
    void close() throws Exception {
        server.close();
        tables.close();
    }

    @Test
    void conversation_ofTheCli_becomesWhatTheCliSaid() throws Exception {
        tables.insert(
                "conversations",
                "id, name, mode, initialPrompt, status, source, startedAt, completedAt, createdAt, totalMessages, totalTokens,"
                        + " totalCost, totalDuration, agentpipeVersion, systemOS, summaryText, summaryData, summaryCost, metadata",
                "c/1",
                "n",
                "reactive",
                "p",
                "COMPLETED",
                "cli-stream",
                "2025-01-01 10:00:00.123",
                "2025-01-01 11:00:00",
                "2025-01-01 10:00:01",
                "7",
                "300",
                "0.1",
                "61000",
                "v0.7.0",
                "linux",
                "All.",
                "{\"text\":\"All.\",\"short_text\":\"A.\",\"mood\":1.10}",
                "0.007",
                "{\"topic\":\"x\"}");
        tables.insert(
                "conversation_agents",
                AGENT + ", model, prompt, cliVersion, announcement",
                "a1",
                "c/1",
                "claude-0",
                "claude",
                "Alice",
                "m",
                "be",
                "1.2",
                "hi");
        tables.insert("conversation_agents", AGENT, "a2", "c/1", "claude-1", "claude", "Bob");
        tables.insert(
                "messages",
                MESSAGE + ", sequenceNumber, turnNumber, totalTokens, inputTokens, outputTokens, cost, duration, model",
                "m1",
                "c/1",
                "c/1-claude",
                "claude",
                "Bob",
                "agent",
                "Hi \uD83D\uDE80 \uFFFD",
                "2025-01-01 10:10:00.5",
                "1",
                "2",
                "100",
                "60",
                "40",
                "0.00123",
                "1500",
                "opus");
        tables.insert(
                "messages", MESSAGE, "m2", "c/1", "c/1-claude", "claude", "Nobody", "agent", "", "2025-01-01 10:11:00");

        ImportResult result = run();

        assertTrue(result.isAllThere(), refused.toString());
        assertEquals(new Counted(1, 2, 2), result.old());
        assertEquals(new Counted(1, 2, 2), result.found());
        JsonNode session = server.sessions.get(0);
        assertEquals(
                "{\"id\":\"c/1\",\"name\":\"n\",\"mode\":\"reactive\",\"initial_prompt\":\"p\","
                        + "\"started_at\":\"2025-01-01T10:00:00.123Z\",\"created_at\":\"2025-01-01T10:00:01Z\","
                        + "\"source\":\"cli-stream\",\"system_info\":{\"agentpipe_version\":\"v0.7.0\",\"os\":\"linux\"},"
                        + "\"metadata\":{\"topic\":\"x\"},\"agentpipe_web\":{\"summary_data\":"
                        + "{\"mood\":1.10,\"text\":\"All.\",\"short_text\":\"A.\"},\"agents\":{\"claude-0\":{\"announcement\":\"hi\"}}},"
                        + "\"status\":\"COMPLETED\",\"completed_at\":\"2025-01-01T11:00:00Z\",\"total_messages\":7,"
                        + "\"total_tokens\":300,\"total_cost\":0.1,\"total_duration\":61000,"
                        + "\"summary\":{\"short_text\":\"A.\",\"text\":\"All.\",\"cost\":0.007}}",
                session.get("conversation").toString().replace("\"mood\":1.1,", "\"mood\":1.10,"));
        assertEquals(
                "[{\"agent_id\":\"claude-0\",\"agent_type\":\"claude\",\"agent_name\":\"Alice\",\"model\":\"m\",\"prompt\":\"be\",\"cli_version\":\"1.2\"},"
                        + "{\"agent_id\":\"claude-1\",\"agent_type\":\"claude\",\"agent_name\":\"Bob\"}]",
                session.get("agents").toString());
        assertEquals(
                "{\"message_id\":\"m1\",\"agent_id\":\"claude-1\",\"agent_type\":\"claude\",\"agent_name\":\"Bob\",\"role\":\"agent\","
                        + "\"content\":\"Hi \uD83D\uDE80 \uFFFD\",\"timestamp\":\"2025-01-01T10:10:00.500Z\",\"model\":\"opus\",\"sequence_number\":1,"
                        + "\"turn_number\":2,\"tokens_used\":100,\"input_tokens\":60,\"output_tokens\":40,\"cost\":0.00123,"
                        + "\"duration_ms\":1500}",
                session.at("/messages/0").toString());
        assertFalse(session.at("/messages/1").has("agent_id"), "nobody knows which of the two it was");
        assertEquals(List.of(), leftOut);
    }

    @Test
    void agentIds_thatTheWebMadeUp_becomeThoseThatThisServerGives() throws Exception {
        conversation("c", "ACTIVE");
        tables.insert("conversation_agents", AGENT, "a1", "c", "c-claude", "claude", "Alice");
        tables.insert("conversation_agents", AGENT, "a2", "c", "agent-1", "gemini", "Bob");
        message("m1", "c", "c-claude", "claude", "hi");
        message("m2", "c", "c-gemini", "gemini", "hi");
        message("m3", "c", "host", "host", "hi");
        message("m4", "c", "c-gone", "gone", "hi");

        run();

        JsonNode session = server.sessions.get(0);
        assertEquals(List.of("claude-0", "agent-1"), texts(session.get("agents"), "agent_id"));
        assertEquals(List.of("claude-0", "agent-1", "host", ""), texts(session.get("messages"), "agent_id"));
    }

    @Test
    void numbers_thatAreNone_areLeftOutAndTold() throws Exception {
        tables.insert(
                "conversations",
                "id, name, mode, initialPrompt, status, totalCost, totalTokens, maxTurns",
                "c",
                "n",
                "m",
                "p",
                "ERROR",
                "Infinity",
                "-3",
                "-1");
        tables.insert(
                "messages",
                MESSAGE + ", cost, totalTokens",
                "m1",
                "c",
                "x",
                "t",
                "n",
                "agent",
                "",
                "2025-01-01",
                "NaN",
                "-1");
        tables.insert("messages", MESSAGE + ", cost", "m2", "c", "x", "t", "n", "agent", "", "2025-01-02", "1e15");

        assertTrue(run().isAllThere());

        JsonNode session = server.sessions.get(0);
        assertEquals(-1, session.at("/conversation/max_turns").asInt());
        assertFalse(session.get("conversation").has("total_cost"));
        assertFalse(session.at("/messages/0").has("cost"));
        assertFalse(session.at("/messages/0").has("tokens_used"));
        assertEquals(
                List.of(
                        "c: totalTokens -3",
                        "c: totalCost Infinity",
                        "m1: totalTokens -1",
                        "m1: cost NaN",
                        "m2: cost 1.0E15"),
                leftOut);
    }

    @Test
    void totals_ofAnOpenConversation_areLeftToTheServer() throws Exception {
        tables.insert("conversations", CONVERSATION + ", totalMessages", "c", "n", "m", "p", "ACTIVE", "web", "5");
        run();
        assertFalse(server.sessions.get(0).get("conversation").has("total_messages"));
    }

    @Test
    void manyMessages_goInSeveralUploads_andTheEndComesWithTheLast() throws Exception {
        conversation("c", "COMPLETED");
        tables.execute("""
                insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role", "timestamp")
                select 'm' || n, 'c', '', '', 'a', '', 'agent', timestamp '2025-01-01' + n * interval '1 second'
                from generate_series(1, 4500) as n
                """);

        ImportResult result = run();

        assertTrue(result.isAllThere());
        assertEquals(4_500, result.messagesAdded());
        assertEquals(
                List.of(2_000, 2_000, 500),
                server.sessions.stream().map(one -> one.get("messages").size()).toList());
        assertEquals(
                List.of("ACTIVE", "ACTIVE", "COMPLETED"),
                server.sessions.stream()
                        .map(one -> one.at("/conversation/status").asString())
                        .toList());
    }

    @Test
    void largeMessages_goInSmallUploads() throws Exception {
        conversation("c", "COMPLETED");
        tables.execute("""
                insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role", "timestamp")
                select 'm' || n, 'c', '', '', 'a', repeat('x', 1000000), 'agent', timestamp '2025-01-01' + n * interval '1 second'
                from generate_series(1, 20) as n
                """);

        assertTrue(run().isAllThere());

        assertEquals(
                List.of(8, 8, 4),
                server.sessions.stream().map(one -> one.get("messages").size()).toList());
    }

    @Test
    void refusedMessages_areToldAndLeft_andTheRestGoesOn() throws Exception {
        conversation("c", "COMPLETED");
        for (int i = 0; i < 9; i++) {
            message("m" + i, "c", "x", "t", i == 2 || i == 8 ? "bad" : "good");
        }
        conversation("d", "COMPLETED");

        ImportResult result = run();

        assertEquals(7, server.stored.get("c").messages.size());
        assertEquals(
                "COMPLETED", server.stored.get("c").conversation.get("status").asString());
        assertTrue(server.stored.containsKey("d"));
        assertEquals(
                List.of(
                        "message m2 of conversation c: content: It is bad.",
                        "message m8 of conversation c: content: It is bad."),
                refused);
        assertFalse(result.isAllThere());
        assertEquals(0, result.missing());
    }

    @Test
    void refusedMessages_withoutAWordWhere_areFound() throws Exception {
        server.sayNotWhere();
        conversation("c", "COMPLETED");
        for (int i = 0; i < 9; i++) {
            message("m" + i, "c", "x", "t", i == 2 || i == 8 ? "bad" : "good");
        }

        run();

        assertEquals(7, server.stored.get("c").messages.size());
        assertEquals(
                "COMPLETED", server.stored.get("c").conversation.get("status").asString());
        assertEquals(2, refused.size());
        assertTrue(refused.get(0).startsWith("message m2 "), refused.toString());
    }

    @Test
    void refusedConversation_isToldOnce_andTheOthersGoOn() throws Exception {
        tables.insert("conversations", CONVERSATION, "c", "bad", "m", "p", "COMPLETED", "web");
        message("m", "c", "x", "t", "good");
        conversation("d", "COMPLETED");

        ImportResult result = run();

        assertEquals(List.of("d"), List.copyOf(server.stored.keySet()));
        assertEquals(List.of("conversation c: /conversation/name It is bad."), refused);
        assertFalse(result.isAllThere());
    }

    @Test
    void errors_becomeEvents_onceAndNotWhereTheServerKnowsThem() throws Exception {
        for (String id : List.of("live", "old")) {
            tables.insert(
                    "conversations",
                    CONVERSATION + ", errorMessage, completedAt",
                    id,
                    "n",
                    "m",
                    "p",
                    "COMPLETED",
                    "cli-stream",
                    "No more.",
                    "2025-01-01 10:00:00");
            tables.insert(
                    "events",
                    "id, createdAt, type, conversationId, data",
                    "e-" + id,
                    "2025-01-01 10:00:00.25",
                    "conversation.error",
                    id,
                    "{\"error_type\":\"timeout\",\"error_message\":\"No more.\",\"agent_type\":null}");
        }
        tables.insert(
                "conversations",
                CONVERSATION + ", errorMessage",
                "docker",
                "n",
                "m",
                "p",
                "ERROR",
                "web",
                "No Docker.");
        SessionServer.Stored live = new SessionServer.Stored();
        live.conversation = json("{\"error_message\":\"No more.\"}");
        live.agents = json("[]");
        server.stored.put("live", live);

        ImportResult result = run();

        assertEquals(
                List.of(json(
                        "{\"type\":\"conversation.error\",\"timestamp\":\"2025-01-01T10:00:00Z\",\"data\":{\"conversation_id\":\"old\","
                                + "\"error_type\":\"timeout\",\"error_message\":\"No more.\"}}")),
                List.copyOf(server.stored.get("old").events),
                "not after the end, whatever the clocks say");
        assertFalse(server.stored.get("old").conversation.has("error_message"), "it would count twice");
        assertEquals(0, server.stored.get("live").events.size());
        assertEquals(
                "No Docker.",
                server.stored.get("docker").conversation.get("error_message").asString());
        assertEquals(
                Map.of("sent as events", 1L, "errors of conversations whose errors the server knows", 1L),
                result.events());
        server.sessions.clear();
        run(DoneList.forgetful());
        assertEquals(1, server.stored.get("old").events.size());
    }

    @Test
    void events_allAreAccountedFor() throws Exception {
        conversation("c", "COMPLETED");
        event("1", "conversation.created", "c", "{}");
        event("2", "message.created", "c", "{}");
        event("3", "conversation.error", null, "{\"error\":\"none\"}");
        event("4", "conversation.error", "gone", "{\"error_message\":\"x\"}");
        event("5", "bridge.connected", null, "{\"connected_at\":\"2025-01-01T00:00:00Z\"}");
        event("6", "log.entry", "c", "{\"level\":\"info\",\"content\":\"bad\"}");
        event("7", "log.entry", "c", "{\"level\":\"info\",\"content\":\"good\"}");

        ImportResult result = run();

        assertEquals(
                Map.of(
                        "conversation.created, which the copied rows say too: left out", 1L,
                        "message.created, which the copied rows say too: left out", 1L,
                        "conversation.error of no conversation: left out", 1L,
                        "conversation.error of conversations that were deleted: left out", 1L,
                        "sent as events", 2L),
                result.events());
        assertEquals(
                List.of("event 6: Bad."),
                refused.stream().map(one -> one.replace("400 no: ", "")).toList());
        assertEquals(1, server.eventsOfNone.size());
    }

    @Test
    void repeat_sendsOnlyWhatIsNewOrGone() throws Exception {
        conversation("c", "COMPLETED");
        conversation("d", "COMPLETED");
        conversation("e", "COMPLETED");
        message("m1", "c", "x", "t", "good");
        message("m2", "d", "x", "t", "good");
        run();
        server.sessions.clear();
        message("m3", "d", "x", "t", "good");
        server.stored.get("c").messages.clear();

        ImportResult result = run();

        assertEquals(
                List.of("c", "d"),
                server.sessions.stream()
                        .map(one -> one.at("/conversation/id").asString())
                        .toList());
        assertEquals(1, result.unchanged());
        assertTrue(result.isAllThere());
    }

    @Test
    void conversation_thatWasDeletedInTheServer_staysDeleted() throws Exception {
        conversation("c", "COMPLETED");
        conversation("d", "COMPLETED");
        run();
        server.stored.remove("c");
        server.sessions.clear();

        ImportResult result = run();

        assertEquals(1, result.deleted());
        assertTrue(result.isAllThere());
        assertEquals(List.of(), server.sessions);
    }

    @Test
    void stop_duringAnUpload_endsIt_andARepeatCompletesIt() throws Exception {
        conversation("c", "COMPLETED");
        conversation("d", "COMPLETED");
        tables.execute("""
                insert into messages ("id", "conversationId", "agentId", "agentName", "agentType", "content", "role")
                select 'm' || n, 'c', '', '', 'a', '', 'agent' from generate_series(1, 2500) as n
                """);
        server.onUpload(stop::request);

        ImportResult stopped = run();
        server.onUpload(() -> {});

        assertFalse(stopped.isComplete());
        assertEquals("ACTIVE", server.stored.get("c").conversation.get("status").asString());
        ImportResult result = new Once(new Stop()).run(DoneList.open(state, "k7f3"));
        assertTrue(result.isAllThere());
        assertEquals(
                "COMPLETED", server.stored.get("c").conversation.get("status").asString());
        assertEquals(2_500, server.stored.get("c").messages.size());
    }

    @Test
    void server_thatLosesOne_isFoundOut() throws Exception {
        server.loseOne();
        conversation("c", "COMPLETED");
        message("m1", "c", "x", "t", "good");
        message("m2", "c", "x", "t", "good");

        ImportResult result = run();

        assertEquals(1, result.missing());
        assertFalse(result.isAllThere());
        assertEquals(List.of("conversation c: the server has 1 of 2 messages and 0 of 0 participants"), refused);
    }

    private void conversation(String id, String status) throws Exception {
        tables.insert("conversations", CONVERSATION, id, "n", "m", "p", status, "web");
    }

    private void message(String id, String conversation, String agentId, String agentType, String content)
            throws Exception {
        tables.insert("messages", MESSAGE, id, conversation, agentId, agentType, "N", "agent", content, "2025-01-01");
    }

    private void event(String id, String type, String conversation, String data) throws Exception {
        tables.insert("events", "id, type, conversationId, data", id, type, conversation, data);
    }

    private static JsonNode json(String text) {
        return tools.jackson.databind.json.JsonMapper.shared().readTree(text);
    }

    private static List<String> texts(JsonNode array, String member) {
        return array.valueStream().map(one -> one.path(member).asString("")).toList();
    }

    private ImportResult run() throws Exception {
        return run(DoneList.open(state, "k7f3"));
    }

    private ImportResult run(DoneList done) throws Exception {
        return new Once(stop).run(done);
    }

    private final class Once implements ImportListener {
        private final Stop itsStop;

        Once(Stop itsStop) {
            this.itsStop = itsStop;
        }

        ImportResult run(DoneList done) throws Exception {
            TransferClient client = new TransferClient(server.uri(), SessionServer.KEY, itsStop, why -> {});
            try (WebDatabase source = WebDatabase.open(tables.url());
                    done) {
                Import once = new Import(source, client, done, this);
                once.run();
                return once.result();
            }
        }

        @Override
        public void begin(long number, long conversations, String conversationId) {}

        @Override
        public void sending(String conversationId, long messages, long of, int compressedBytes) {}

        @Override
        public void refused(String what, String why) {
            refused.add(what + ": " + why);
        }

        @Override
        public void leftOut(String what) {
            leftOut.add(what);
        }
    }
}
