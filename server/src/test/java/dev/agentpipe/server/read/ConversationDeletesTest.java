package dev.agentpipe.server.read;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class ConversationDeletesTest {

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Answer delete(TestServer at, String id, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(at.uri("/api/conversations/" + id));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return at.send(request.DELETE().build());
    }

    private static Answer delete(TestServer at, String id) {
        return delete(at, id, "Authorization", "Bearer " + TestServer.ADMIN_KEY);
    }

    @Test
    void delete_withoutTheScope_isRefused() {
        server.message("kept", "kept-1", "x");

        assertEquals(401, delete(server, "kept", new String[0]).status());
        assertEquals(
                403,
                delete(server, "kept", "Authorization", "Bearer " + TestServer.KEY)
                        .status());
        assertEquals(200, server.get("/api/conversations/kept").status());
    }

    @Test
    void delete_takesItOutOfAllAnswers_alsoOfThoseThatWereKept() {
        server.message("gone", "gone-1", "x");
        List<String> paths = List.of(
                "/api/conversations/gone",
                "/api/conversations/gone/messages",
                "/api/conversations",
                "/api/messages/recent");
        for (String path : paths) {
            assertTrue(server.get(path).response().body().contains("\"gone-1\"") || path.equals("/api/conversations"));
        }

        Answer deleted = delete(server, "gone");

        assertEquals(204, deleted.status(), deleted::toString);
        for (String path : paths) {
            assertFalse(server.get(path).response().body().contains("gone"), path);
        }
        assertEquals(404, delete(server, "gone").status());
        assertEquals(404, delete(server, "never").status());
        assertEquals(400, delete(server, "x".repeat(256)).status());
    }

    @Test
    void repeatOfWhatWasDeleted_isADuplicate_andBringsNothingBack() {
        server.message("repeated", "repeated-1", "x");
        delete(server, "repeated");

        Answer repeat = server.ingest(TestServer.messageBody("repeated", "repeated-1", "x"));

        assertEquals(200, repeat.status());
        assertTrue(repeat.json().get("duplicate").booleanValue());
        assertEquals(404, server.get("/api/conversations/repeated").status());
    }

    @Test
    void streams_learnOfIt_andCannotReplayIt_onAnyNode() throws IOException {
        try (TestServer other = TestServer.on(server.databaseUrl(), UnaryOperator.identity());
                RawStream live = other.stream("/api/realtime/stream?conversationId=streamed")) {
            String before = RawStream.id(live.block());
            server.message("streamed", "streamed-1", "the secret");
            assertTrue(nextStored(live).contains("the secret"));

            assertEquals(204, delete(server, "streamed").status());

            String deleted = nextStored(live);
            assertTrue(deleted.startsWith("{\"type\":\"conversation.deleted\",\"timestamp\":\""), deleted);
            assertTrue(deleted.endsWith("\"data\":{\"conversation_id\":\"streamed\"}}"), deleted);
            server.message("other", "other-1", "something else");
            for (TestServer one : List.of(server, other)) {
                for (String filter :
                        List.of("", "?conversationId=streamed,other", "?types=message.created,conversation.deleted")) {
                    try (RawStream resumed = one.stream("/api/realtime/stream" + filter, "Last-Event-ID", before)) {
                        assertEquals(deleted, nextStored(resumed));
                        String next = nextStored(resumed);
                        assertTrue(next.contains("something else"), next);
                    }
                }
            }
        }
    }

    private static String nextStored(RawStream stream) throws IOException {
        String data = RawStream.data(stream.event());
        return data.startsWith("{\"type\":\"connected\"") ? RawStream.data(stream.event()) : data;
    }

    @Test
    void whatComesAfterwards_beginsAnewConversation() {
        server.message("anew", "anew-1", "x");
        delete(server, "anew");

        server.message("anew", "anew-2", "y");

        Answer answer = server.get("/api/conversations/anew/messages");
        assertEquals(1, answer.json().get("data").size());
        assertEquals("y", answer.json().get("data").get(0).get("content").stringValue());
        assertEquals(204, delete(server, "anew").status());
        assertEquals(404, server.get("/api/conversations/anew").status());
    }
}
