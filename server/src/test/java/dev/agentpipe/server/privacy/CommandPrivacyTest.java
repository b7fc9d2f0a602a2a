package dev.agentpipe.server.privacy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.TestRedis;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The user's command line is for administrators alone: in one conversation's answer, and nowhere else. */
final class CommandPrivacyTest {

    private static final String WORD = "quetzalmarker";
    private static final String COMMAND =
            "{\"full_command\":\"agentpipe run " + WORD + "\",\"args\":[\"" + WORD + "\"]}";
    private static final String[] NOBODY = {};
    private static final String[] READER = {"Authorization", "Bearer " + TestServer.KEY};
    private static final String[] ADMIN = {"Authorization", "Bearer " + TestServer.ADMIN_KEY};

    private static final Set<String> TOLD =
            Set.of("/api/conversations/private", "/api/conversations/private?includeMessages=false");

    @Test
    void command_isToldToAdministratorsAlone_whoeverAsksFirst() throws Exception {
        try (TestRedis redis = TestRedis.start();
                CapturedLog log = new CapturedLog("dev.agentpipe");
                TestServer server = TestServer.start(settings -> settings.redis(redis.url(), null));
                TestServer other = TestServer.on(server.databaseUrl(), settings -> settings.redis(redis.url(), null))) {
            for (Answer stored : List.of(start(server, 201), start(server, 200), upload(server), wrongStart(server))) {
                assertFalse(stored.toString().contains(WORD), stored::toString);
            }
            server.message("private", "m-1", "What was said.");

            for (String[] asking : List.of(READER, ADMIN, NOBODY, READER, ADMIN)) {
                for (TestServer node : List.of(server, other)) {
                    Map<String, String> answers =
                            EveryAnswer.of(node, "private", List.of(WORD, "said", "agentpipe"), asking);
                    assertEquals(
                            asking == ADMIN ? new TreeSet<>(TOLD) : new TreeSet<>(),
                            EveryAnswer.holding(answers, WORD));
                }
            }

            assertEquals(List.of("conversations"), EveryTable.holding(server, WORD));
            assertTrue(redis.contents().size() > 3, "nothing is shared: this test would hold for anything");
            assertEquals(
                    List.of(),
                    redis.contents().stream().filter(one -> one.contains(WORD)).toList());
            assertEquals(
                    List.of(),
                    log.events().stream()
                            .filter(one -> one.toString().contains(WORD))
                            .toList());
        }
    }

    private static Answer start(TestServer server, int status) {
        Answer answer = server.ingest("""
                {"type":"conversation.started","timestamp":"2026-11-22T14:34:21Z","data":{"conversation_id":"private",\
                "command":%s,"mode":"round-robin","initial_prompt":"Hello","participants":[{"agent_type":"claude"}]}}""".formatted(COMMAND));
        assertEquals(status, answer.status(), answer::toString);
        return answer;
    }

    private static Answer wrongStart(TestServer server) {
        Answer answer = server.ingest(
                "{\"type\":\"conversation.started\",\"data\":{\"conversation_id\":\"private\",\"command\":\"" + WORD
                        + "\"}}");
        assertEquals(400, answer.status(), answer::toString);
        return answer;
    }

    private static Answer upload(TestServer server) {
        String session = """
                {"conversation":{"id":"uploaded","name":"n","mode":"m","initial_prompt":"p","started_at":"2026-11-22T14:34:21Z",\
                "status":"COMPLETED","command":%s},"agents":[],"messages":[]}""".formatted(COMMAND);
        Answer answer = server.send(HttpRequest.newBuilder(server.uri("/api/sessions/upload"))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(session))
                .build());
        assertEquals(201, answer.status(), answer::toString);
        return answer;
    }
}
