package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What keeps the program from starting is told in a line, and nothing is left running. */
final class StartTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path dataDir;

    private final List<ServerProcess> started = new ArrayList<>();

    @AfterEach
    void stop() {
        started.forEach(ServerProcess::close);
    }

    private ServerProcess start(Map<String, String> environment) throws IOException {
        ServerProcess server = new ServerProcess(dataDir, environment);
        started.add(server);
        return server;
    }

    /** It ends with 1 and says one line of its own on why; returns that. */
    private static String assertCannotStart(ServerProcess server) {
        assertEquals(1, server.awaitExit(PATIENCE), server::output);
        List<String> lines = server.output()
                .lines()
                .filter(line -> line.startsWith("agentpipe-server: cannot start: "))
                .toList();
        assertEquals(1, lines.size(), server::output);
        assertFalse(server.output().contains("\tat "), server::output);
        return lines.get(0);
    }

    @Test
    void start_portInUse_isRefusedAndNoPostgresIsLeft() throws Exception {
        try (ServerSocket taken = new ServerSocket(ServerProcess.freePort(), 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());

            String line = assertCannotStart(start(Map.of("PORT", port)));

            assertTrue(line.contains("port " + port) && line.contains("PORT"), line);
            assertTrue(ServerProcess.postgres(dataDir).isEmpty(), "PostgreSQL was stopped");
        }
    }

    @Test
    void start_databaseCannotBeUsed_saysWhyWithoutThePassword() throws Exception {
        String url = TestPostgres.newDatabase();
        String password = url.replaceAll(".*//[^:]*:([^@]*)@.*", "$1");
        int nobody = ServerProcess.freePort();
        Map<String, String> cases = Map.of(
                url.replace(password, "s3cret-but-wrong"), "password authentication failed",
                url.replaceAll("@localhost:[0-9]+", "@localhost:" + nobody), "localhost:" + nobody,
                url.replaceAll("@localhost", "@no-such-host.invalid"), "no-such-host.invalid",
                url.replaceAll("/[^/]*$", "/no_such_database"), "no_such_database");
        Map<ServerProcess, String> expected = new LinkedHashMap<>();
        for (Map.Entry<String, String> one : cases.entrySet()) {
            expected.put(start(Map.of("DATABASE_URL", one.getKey())), one.getValue());
        }
        for (Map.Entry<ServerProcess, String> one : expected.entrySet()) {
            String line = assertCannotStart(one.getKey());
            assertTrue(line.contains(one.getValue()), line);
            String output = one.getKey().output();
            assertFalse(output.contains(password) || output.contains("s3cret-but-wrong"), output);
        }
    }

    @Test
    void start_schemaOfANewerProgram_isRefused() throws Exception {
        String url = TestPostgres.newDatabase();
        TestServer.on(url, settings -> settings).close();
        try (Connection connection = TestPostgres.connect(url);
                Statement statement = connection.createStatement()) {
            statement.execute("insert into flyway_schema_history (installed_rank, version, description, type, script,"
                    + " checksum, installed_by, execution_time, success) values (999, '999', 'from the future', 'SQL',"
                    + " 'V999__from_the_future.sql', 0, 'nobody', 0, true)");
        }

        String line = assertCannotStart(start(Map.of("DATABASE_URL", url)));

        assertTrue(line.contains("newer version") && line.contains("999"), line);
    }

    @Test
    void start_twiceAtOnceForTheFirstTime_oneRunsWithTheKeyThatIsKept() throws Exception {
        ServerProcess one = start(Map.of());
        ServerProcess other = start(Map.of());
        Await.until("one is refused", PATIENCE, () -> !one.isAlive() || !other.isAlive());
        ServerProcess winner = one.isAlive() ? one : other;
        assertCannotStart(one.isAlive() ? other : one);

        assertEquals(201, ingest(winner.awaitReady(), key(), "first"));
        assertTrue(winner.output().contains(key()), winner::output);
    }

    @Test
    void start_again_doesNotShowTheKey_andWhileTheFirstRunsIsRefused() throws Exception {
        ServerProcess first = start(Map.of());
        URI uri = first.awaitReady();
        assertEquals(201, ingest(uri, key(), "first"));

        String line = assertCannotStart(start(Map.of()));
        assertTrue(line.contains("Another server (process " + first.handle().pid() + ")"), line);
        assertTrue(line.contains("DATA_DIR"), line);
        assertEquals(201, ingest(uri, key(), "the first goes on"));
        first.terminate();
        assertEquals(0, first.awaitExit(PATIENCE));
        assertEquals(2, first.output().split(key(), -1).length, "the key is shown once: " + first.output());

        ServerProcess next = start(Map.of("LOG_LEVEL", "trace"));
        uri = next.awaitReady();
        assertEquals(201, ingest(uri, key(), "second"));
        assertEquals(401, ingest(uri, key() + "x", "third"));
        next.terminate();
        assertEquals(0, next.awaitExit(PATIENCE));
        for (ServerProcess later : started.subList(1, 3)) {
            assertFalse(later.output().contains(key()), "the key is in no log");
        }
        assertTrue(next.output().contains(" TRACE "), "which says everything");
    }

    private String key() throws IOException {
        return Files.readString(dataDir.resolve("api-key")).strip();
    }

    private static int ingest(URI uri, String key, String id) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri.resolve("/api/ingest"))
                .header("Authorization", "Bearer " + key)
                .POST(BodyPublishers.ofString(TestServer.messageBody("c", id, "x")))
                .build();
        return HttpClient.newHttpClient()
                .send(request, BodyHandlers.discarding())
                .statusCode();
    }
}
