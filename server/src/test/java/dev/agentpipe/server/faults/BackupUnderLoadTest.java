package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.InstalledPostgres;
import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.cli.RunCommand;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A backup that is made while events come in holds all that was acknowledged before it began, in whole conversations, and a
 * server goes on with it.
 */
final class BackupUnderLoadTest {

    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @TempDir
    private Path folder;

    private Set<String> before;
    private Map<String, Long> all;

    /** @return the backup */
    private Path backUpUnderLoad(Supplier<URI> server, Map<String, String> environment) throws IOException {
        try (Load load = Load.start("m", List.of(server), TestServer.KEY, 4)) {
            load.awaitMore(300);
            before = Set.copyOf(load.acknowledged().keySet());
            String said = RunCommand.of(environment, "backup", "--to", folder.resolve("backups") + "")
                    .succeeded()
                    .said();
            assertTrue(said.startsWith("Made "), said);
            load.awaitMore(100); // it went on
            load.stop();
            assertEquals(0, load.refused());
            all = load.positions();
            before = Set.copyOf(before);
            assertTrue(load.acknowledged().keySet().containsAll(before));
        }
        try (Stream<Path> files = Files.list(folder.resolve("backups"))) {
            return files.filter(file -> file.toString().endsWith(".dump"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    /** The restored log is the beginning of the other one. */
    private void assertIsABeginning(Connection restored, Connection source) throws Exception {
        Stored was = Stored.read(source);
        Stored is = Stored.read(restored);
        assertTrue(is.messages().keySet().containsAll(before), "all that was acknowledged before");
        int count = is.positions().size();
        assertTrue(count >= before.size() && count < was.positions().size(), "it was made in the middle");
        assertEquals(was.positions().subList(0, count), is.positions());
        is.messages().forEach((id, position) -> {
            assertEquals(was.messages().get(id), position, id);
            assertEquals(all.getOrDefault(id, position), position, id);
        });
    }

    private void assertGoesOn(URI server, String idBefore) throws Exception {
        try (RawStream stream =
                RawStream.open(server.getPort(), "HTTP/1.1", "/api/realtime/stream", "Last-Event-ID", idBefore)) {
            String first = stream.event();
            assertEquals("reset", RawStream.field(first, "event"), first);
            String epoch = idBefore.substring(0, idBefore.indexOf('-'));
            assertFalse(RawStream.id(first).startsWith(epoch + "-"), first);

            String known = before.iterator().next();
            HttpResponse<String> again = post(server, TestServer.messageBody(Load.conversation(0), known, "other"));
            assertEquals(409, again.statusCode(), again::body);
            HttpResponse<String> next = post(server, TestServer.messageBody("after", "after-1", "something findable"));
            assertEquals(201, next.statusCode(), next::body);
            assertTrue(RawStream.data(stream.event()).contains("something findable"));
        }
        HttpResponse<String> found = CLIENT.send(
                HttpRequest.newBuilder(server.resolve("/api/search"))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString("{\"query\":\"findable\"}"))
                        .build(),
                BodyHandlers.ofString());
        assertTrue(found.body().contains("\"total\":1,"), found::body);
        HttpResponse<String> export = CLIENT.send(
                HttpRequest.newBuilder(
                                server.resolve("/api/conversations/" + Load.conversation(0) + "/export?format=jsonl"))
                        .build(),
                BodyHandlers.ofString());
        assertEquals(200, export.statusCode());
        assertTrue(export.body().lines().count() > 20, export::body);
    }

    private static HttpResponse<String> post(URI server, String body) throws Exception {
        return CLIENT.send(
                HttpRequest.newBuilder(server.resolve("/api/ingest"))
                        .header("Authorization", "Bearer " + TestServer.KEY)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString(body))
                        .build(),
                BodyHandlers.ofString());
    }

    private static String lastId(URI server) throws IOException {
        try (RawStream stream = RawStream.open(server.getPort(), "HTTP/1.1", "/api/realtime/stream")) {
            return RawStream.id(stream.event());
        }
    }

    @Test
    void external_byPgDump() throws Exception {
        try (InstalledPostgres installed = InstalledPostgres.start()) {
            String url = installed.newDatabase();
            String idBefore;
            Path backup;
            try (TestServer server = TestServer.on(url, settings -> settings)) {
                backup = backUpUnderLoad(() -> server.uri("/"), Map.of("DATABASE_URL", url));
                idBefore = lastId(server.uri("/"));
            }
            assertTrue(Files.readString(Path.of(backup + ".json")).contains("\"pg_dump\""), "the usual form");
            String restored = installed.newDatabase();
            RunCommand.of(Map.of("DATABASE_URL", restored), "restore", backup.toString())
                    .succeeded();
            assertIsABeginning(TestPostgres.connect(restored), TestPostgres.connect(url));
            try (TestServer server = TestServer.on(restored, settings -> settings)) {
                assertGoesOn(server.uri("/"), idBefore);
            }
        }
    }

    @Test
    void embedded_byCopy() throws Exception {
        Path data = folder.resolve("data");
        Map<String, String> keys = Map.of("AGENTPIPE_BRIDGE_API_KEY", TestServer.KEY, "AUDIT_LOG", folder + "/audit");
        Map<String, String> environment = Map.of("DATA_DIR", data.toString());
        Path other = folder.resolve("other");
        try (ServerProcess server = new ServerProcess(data, keys)) {
            URI uri = server.awaitReady();
            Path backup = backUpUnderLoad(() -> uri, environment);
            String idBefore = lastId(uri);
            RunCommand inUse = RunCommand.of(environment, "restore", "--replace", "--yes", backup.toString());
            assertEquals(1, inUse.status());
            assertTrue(inUse.said().contains("Another server"), inUse.said());

            ServerProcess.shareBinaries(other);
            String said = RunCommand.of(Map.of("DATA_DIR", other.toString()), "restore", backup.toString())
                    .succeeded()
                    .said();
            assertTrue(said.contains("compared; the log is now"), said);
            try (ServerProcess restored = new ServerProcess(other, keys)) {
                URI at = restored.awaitReady();
                assertIsABeginning(restored.connect(), server.connect());
                assertGoesOn(at, idBefore);
                assertEquals(List.of(), restored.complaints());
            }
        }
    }
}
