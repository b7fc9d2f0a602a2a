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
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM: an orderly end, with 0, within 15 s, whatever goes on. */
final class StopTest {

    private static final Duration PROMISED = Duration.ofSeconds(15);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path dataDir;

    private final int port = ServerProcess.freePort();
    private final URI uri = URI.create("http://127.0.0.1:" + port);
    private final List<RecordingReader> readers = new ArrayList<>();
    private ServerProcess server;

    private void start() throws IOException {
        server = new ServerProcess(
                dataDir,
                Map.of(
                        "PORT",
                        Integer.toString(port),
                        "AGENTPIPE_BRIDGE_API_KEY",
                        TestServer.KEY,
                        "SSE_HEARTBEAT_INTERVAL",
                        "1000"));
    }

    @AfterEach
    void stop() {
        readers.forEach(RecordingReader::close);
        if (server != null) {
            server.close();
        }
    }

    @Test
    void terminate_underLoadWithOpenStreams_endsAllInOrder() throws Exception {
        start();
        server.awaitReady();
        List<RawStream> quiet = openStreams();
        try (Load load = Load.start("m", List.<Supplier<URI>>of(() -> uri), TestServer.KEY, 4)) {
            load.awaitMore(200);

            server.terminate();
            long terminated = System.nanoTime();
            Await.until("readiness is off", PATIENCE, () -> ready() == 503);
            assertTrue(readers.stream().anyMatch(reader -> reader.farewells() == 0), "streams are ended afterwards");
            assertEquals(0, server.awaitExit(PROMISED), server::output);

            Duration took = Duration.ofNanos(System.nanoTime() - terminated);
            assertTrue(took.compareTo(Duration.ofSeconds(8)) < 0, "nothing hung, but it took " + took);
            assertEquals(List.of(), server.complaints());
            assertTrue(ServerProcess.postgres(dataDir).isEmpty(), "PostgreSQL was stopped, too");
            for (RawStream stream : quiet) {
                assertEndsInOrder(stream);
            }
            for (RecordingReader reader : readers) {
                assertEquals(1, reader.farewells(), reader::toString);
            }
            start();
            server.awaitReady();
            load.awaitMore(100);
            load.stop();
            load.resend(() -> uri);
            Stored stored = Stored.read(server.connect());
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
            quiet.add(RawStream.open(port, "HTTP/1.1", "/api/realtime/stream?conversationId=nobody-writes-to"));
        }
        for (int i = 0; i < 10; i++) {
            readers.add(new RecordingReader("reader-" + i, () -> port, "", null));
        }
        readers.forEach(RecordingReader::connected);
        return quiet;
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
                            HttpRequest.newBuilder(uri.resolve("/api/health/ready"))
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
        start();
        Path cluster = dataDir.resolve("postgres").resolve("cluster");
        Await.until("the cluster is being made", PATIENCE, () -> Files.exists(cluster));
        assertTerminates();

        start();
        Await.until(
                "PostgreSQL is being started", PATIENCE, () -> server.postgres().isPresent());
        assertTerminates();

        start();
        server.awaitReady();
    }

    private void assertTerminates() {
        server.terminate();
        assertEquals(0, server.awaitExit(PROMISED), server::output);
        assertEquals(List.of(), server.complaints());
        assertTrue(ServerProcess.postgres(dataDir).isEmpty(), "no PostgreSQL is left running");
    }

    @Test
    void kill_whileFirstStarting_theNextStartWorks() throws Exception {
        start();
        Path cluster = dataDir.resolve("postgres").resolve("cluster");
        Await.until("the cluster is being made", PATIENCE, () -> Files.exists(cluster));
        server.kill();

        start();
        server.awaitReady();
    }
}
