package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM: an orderly end, with 0, within 15 s, whatever goes on. */
final class StopTest {

    private static final Duration PROMISED = Duration.ofSeconds(15);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path dataDir;

    @AutoClose
    private RestartedServer server;

    @BeforeEach
    void prepare() {
        server = new RestartedServer(dataDir, Duration.ofSeconds(1));
    }

    @Test
    void terminate_underLoadWithOpenStreams_endsAllInOrder() throws Exception {
        server.start();
        server.process().awaitReady();
        List<RawStream> quiet = openStreams();
        List<RecordingReader> readers = openReaders();
        try (Load load = Load.start("m", List.<Supplier<URI>>of(server::uri), TestServer.KEY, 4)) {
            load.awaitMore(200);

            server.process().terminate();
            long terminated = System.nanoTime();
            Await.until("readiness is off", PATIENCE, () -> ready() == 503);
            assertTrue(readers.stream().anyMatch(reader -> reader.farewells() == 0), "streams are ended afterwards");
            assertEquals(
                    0,
                    server.process().awaitExit(PROMISED),
                    () -> server.process().output());

            Duration took = Duration.ofNanos(System.nanoTime() - terminated);
            assertTrue(took.compareTo(Duration.ofSeconds(8)) < 0, "nothing hung, but it took " + took);
            assertEquals(List.of(), server.process().complaints());
            assertTrue(ServerProcess.postgres(dataDir).isEmpty(), "PostgreSQL was stopped, too");
            for (RawStream stream : quiet) {
                assertEndsInOrder(stream);
            }
            for (RecordingReader reader : readers) {
                assertEquals(1, reader.farewells(), reader::toString);
            }
            server.start();
            server.process().awaitReady();
            load.awaitMore(100);
            load.stop();
            load.resend(server::uri);
            Stored stored = Stored.read(server.process().connect());
            stored.assertIs(load);
            for (RecordingReader reader : readers) {
                assertEquals(
                        stored.positions(), reader.awaitCount(stored.positions().size(), PATIENCE), reader::toString);
            }
        }
    }

    private List<RawStream> openStreams() throws IOException {
        List<RawStream> quiet = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            quiet.add(
                    RawStream.open(server.port(), "HTTP/1.1", "/api/realtime/stream?conversationId=nobody-writes-to"));
        }
        return quiet;
    }

    private List<RecordingReader> openReaders() {
        List<RecordingReader> readers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            readers.add(server.reader("reader-" + i, ""));
        }
        readers.forEach(RecordingReader::connected);
        return readers;
    }

    private static void assertEndsInOrder(RawStream stream) throws IOException {
        String last = null;
        for (String block = stream.block(); block != null; block = stream.block()) {
            last = block;
        }
        assertTrue(last != null && last.matches("retry: \\d+\n\n"), last);
        assertNull(stream.block());
        stream.close();
    }

    /** A status, or 0 if nobody answers. */
    private int ready() {
        try {
            return HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(server.uri().resolve("/api/health/ready"))
                                    .build(),
                            BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException refused) {
            return 0;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void terminate_whileStarting_endsInOrderAndTheNextStartWorks() throws Exception {
        server.start();
        Path cluster = dataDir.resolve("postgres").resolve("cluster");
        Await.until("the cluster is being made", PATIENCE, () -> Files.exists(cluster));
        assertTerminates();

        server.start();
        Await.until(
                "PostgreSQL is being started",
                PATIENCE,
                () -> server.process().postgres().isPresent());
        assertTerminates();

        server.start();
        server.process().awaitReady();
    }

    private void assertTerminates() {
        server.process().terminate();
        assertEquals(
                0, server.process().awaitExit(PROMISED), () -> server.process().output());
        assertEquals(List.of(), server.process().complaints());
        assertTrue(ServerProcess.postgres(dataDir).isEmpty(), "no PostgreSQL is left running");
    }

    @Test
    void kill_whileFirstStarting_theNextStartWorks() throws Exception {
        server.start();
        Path cluster = dataDir.resolve("postgres").resolve("cluster");
        Await.until("the cluster is being made", PATIENCE, () -> Files.exists(cluster));
        server.process().kill();

        server.start();
        server.process().awaitReady();
    }
}
