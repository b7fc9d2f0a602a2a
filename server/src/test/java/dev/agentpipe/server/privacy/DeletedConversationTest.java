package dev.agentpipe.server.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.TestRedis;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What was said in a conversation that is deleted is nowhere any more. */
final class DeletedConversationTest {

    private static final String WORD = "quetzalmarker";
    private static final String[] ADMIN = {"Authorization", "Bearer " + TestServer.ADMIN_KEY};

    @Test
    void delete_leavesNothingOfWhatWasSaid_inTheDatabaseMemoryRedisAndLogs() throws Exception {
        try (TestRedis redis = TestRedis.start();
                CapturedLog log = new CapturedLog("dev.agentpipe");
                TestServer server = TestServer.start(settings -> settings.redis(redis.url(), null));
                TestServer other = TestServer.on(server.databaseUrl(), settings -> settings.redis(redis.url(), null))) {
            server.message("kept", "kept-1", "Something else.");
            talk(server);
            Await.until(
                    "all is in the index",
                    () -> EveryTable.number(server, "select log_head() - position from search_index") == 0);
            for (TestServer node : List.of(server, other)) {
                Map<String, String> before = EveryAnswer.of(node, "gone", List.of(WORD));
                assertTrue(
                        EveryAnswer.holding(before, WORD).size() > 12,
                        () -> EveryAnswer.holding(before, WORD).toString());
            }
            assertTrue(EveryTable.holding(server, WORD)
                    .containsAll(
                            List.of("conversation_agents", "conversations", "events", "messages", "search_documents")));

            assertTrue(redis.contents().stream().anyMatch(one -> one.contains(WORD)), "nothing is shared");

            Answer deleted = server.send(HttpRequest.newBuilder(server.uri("/api/conversations/gone"))
                    .headers(ADMIN)
                    .DELETE()
                    .build());
            assertEquals(204, deleted.status(), deleted::toString);

            assertEquals(List.of(), EveryTable.holding(server, WORD));
            assertEquals(0, EveryTable.number(server, "select count(*) from deletions"));
            try (TestServer later =
                    TestServer.on(server.databaseUrl(), settings -> settings.redis(redis.url(), null))) {
                for (TestServer node : List.of(server, other, later)) {
                    for (String[] asking : List.of(new String[0], ADMIN)) {
                        Map<String, String> after = EveryAnswer.of(node, "gone", List.of(WORD), asking);
                        assertEquals(new TreeSet<>(), EveryAnswer.holding(after, WORD));
                    }
                }
            }
            assertEquals(
                    List.of(),
                    log.events().stream()
                            .filter(one -> one.toString().contains(WORD))
                            .toList());
            assertEquals(List.of(), EveryTable.holding(server, WORD), "the index has not caught up with what is gone");
            assertEquals(
                    List.of(),
                    redis.contents().stream().filter(one -> one.contains(WORD)).toList());
        }
    }

    /** Each kind of event, with the word in each text that it has. */
    private static void talk(TestServer server) {
        for (String event : List.of("""
                {"type":"conversation.started","timestamp":"2026-11-22T14:34:21Z","data":{"conversation_id":"gone","mode":"WORD",\
                "initial_prompt":"WORD","participants":[{"agent_type":"claude","name":"WORD","model":"WORD","prompt":"WORD"}],\
                "system_info":{"os":"WORD"},"command":{"full_command":"WORD"}}}""", """
                {"type":"message.created","timestamp":"2026-11-22T14:34:22Z","data":{"conversation_id":"gone","message_id":"g-1",\
                "agent_type":"claude","agent_name":"WORD","model":"WORD","content":"Say WORD.","cost":1,"x":"WORD"}}""", """
                {"type":"log.entry","timestamp":"2026-11-22T14:34:23Z","data":{"conversation_id":"gone","level":"info","content":"WORD"}}""", """
                {"type":"conversation.error","timestamp":"2026-11-22T14:34:24Z","data":{"conversation_id":"gone","error_message":"WORD",\
                "error_type":"WORD"}}""", """
                {"type":"conversation.completed","timestamp":"2026-11-22T14:34:25Z","data":{"conversation_id":"gone","status":"completed",\
                "summary":{"short_text":"WORD","text":"WORD"}}}""")) {
            Answer answer = server.ingest(event.replace("WORD", WORD));
            assertEquals(201, answer.status(), answer::toString);
        }
    }
}
