package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server behind a PgBouncer that pools transactions, of a version that knows nothing of prepared statements. */
final class PgBouncerTest {

    /** Each task has one: the common pool runs them one after the other on two processors, from Java 25 on. */
    private static final Executor THREADS = task -> new Thread(task).start();

    @TempDir
    private Path folder;

    private String direct;
    private PgBouncer bouncer;

    @BeforeEach
    void start() throws Exception {
        direct = TestPostgres.newDatabase();
        bouncer = new PgBouncer(folder, direct);
    }

    @AfterEach
    void stop() {
        if (bouncer != null) {
            bouncer.close();
        }
    }

    private TestServer server() {
        return TestServer.on(bouncer.url(), settings -> settings.directUrl(direct));
    }

    @Test
    void everything_worksThroughIt() throws Exception {
        try (TestServer server = server();
                RawStream stream = server.stream("/api/realtime/stream")) {
            stream.event();
            // Often enough, and at once, that a statement with a name would be asked of another connection.
            List<CompletableFuture<Void>> writers = new ArrayList<>();
            for (int writer = 0; writer < 4; writer++) {
                String name = "w" + writer;
                writers.add(CompletableFuture.runAsync(
                        () -> {
                            for (int i = 0; i < 12; i++) {
                                server.message("c-" + name, name + "-" + i, "the fox of " + name);
                                read(server, "/api/conversations?limit=5&sort=totalCost&status=ACTIVE&n=" + name + i);
                                read(server, "/api/conversations/c-" + name + "?includeMessages=true&n=" + i);
                            }
                        },
                        THREADS));
            }
            writers.forEach(CompletableFuture::join);
            for (int i = 0; i < 48; i++) {
                assertTrue(stream.event().contains("the fox"));
            }
            String first = server.get("/api/conversations?limit=1")
                    .json()
                    .get("streamPosition")
                    .asString();
            server.message("c-w0", "late", "the fox is late");
            try (RawStream resumed =
                    server.stream("/api/realtime/stream?conversationId=c-w0", "Last-Event-ID", first)) {
                resumed.event();
                assertTrue(resumed.event().contains("is late"), "read from the log");
            }

            for (int i = 0; i < 6; i++) { // pgjdbc gives a statement its name at the fifth time
                assertEquals(
                        200,
                        post(server, "/api/search", "{\"query\":\"fox\",\"limit\":" + (i + 1) + "}")
                                .status());
                String session = SESSION.formatted("up-" + i);
                assertEquals(201, post(server, "/api/sessions/upload", session).status());
                assertEquals(200, post(server, "/api/sessions/upload", session).status(), "known");
                Answer export = server.get("/api/conversations/up-" + i + "/export?format=jsonl");
                assertTrue(export.status() == 200 && export.response().body().contains("uploaded"), export.toString());
                read(server, "/api/metrics/summary?n=" + i);
                read(server, "/api/realtime/stats?n=" + i);
                Answer deleted = server.send(HttpRequest.newBuilder(server.uri("/api/conversations/up-" + i))
                        .header("Authorization", "Bearer " + TestServer.ADMIN_KEY)
                        .DELETE()
                        .build());
                assertEquals(2, deleted.status() / 100, deleted.toString());
            }
        }
        assertFalse(bouncer.log().contains("prepared statement"), bouncer.log());
    }

    @Test
    void bouncerKilled_underLoad_losesNothing() throws Exception {
        try (TestServer server = server()) {
            URI uri = server.uri("/");
            RecordingReader reader = new RecordingReader("all", server::port, "", null).connected();
            Load load =
                    Load.start("bouncer", List.of(() -> uri), TestServer.KEY, 4).allowRepeats();
            for (int round = 0; round < 2; round++) {
                load.awaitMore(50);
                bouncer.kill();
                bouncer.start();
                load.awaitMore(50);
            }
            load.stop();
            load.resend(() -> uri);
            Stored stored = Stored.read(server.connect());
            stored.assertIs(load);
            assertEquals(stored.positions(), reader.awaitCount(stored.messages().size(), Duration.ofSeconds(30)));
            reader.close();
        }
    }

    @Test
    void start_withoutDirectUrl_tellsWhenTheSchemaIsMadeThroughThePooler() throws Exception {
        try (CapturedLog log = new CapturedLog("dev.agentpipe.db.Schema")) {
            TestServer.on(bouncer.url(), UnaryOperator.identity()).close();
            assertTrue(
                    log.events().toString().contains("DIRECT_URL"), log.events().toString());
        }
        try (CapturedLog log = new CapturedLog("dev.agentpipe.db.Schema");
                TestServer server = TestServer.on(bouncer.url(), UnaryOperator.identity())) {
            assertTrue(server.message("c-1", "m-1", "x") > 0);
            assertFalse(log.events().toString().contains("DIRECT_URL"), "there was nothing to change");
        }
    }

    private static final String SESSION = """
            {"conversation": {"id": "%s", "name": "n", "mode": "round-robin", "initial_prompt": "x",
              "started_at": "2026-11-22T10:00:00Z", "status": "COMPLETED"},
             "agents": [{"agent_type": "claude", "agent_name": "A"}],
             "messages": [{"agent_type": "claude", "agent_name": "A", "timestamp": "2026-11-22T10:00:00Z",
              "content": "uploaded"}]}""";

    private static void read(TestServer server, String path) {
        Answer answer = server.get(path);
        assertEquals(200, answer.status(), answer.toString());
    }

    private static Answer post(TestServer server, String path, String body) {
        Answer answer = server.send(HttpRequest.newBuilder(server.uri(path))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + TestServer.KEY)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build());
        assertTrue(answer.status() / 100 == 2, answer.toString());
        return answer;
    }
}
