package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kill -9} under load, of the server, of its PostgreSQL, of both: what was acknowledged is there once, and readers
 * go on without gap or repeat. The moments are random, from a seed that a failure names; {@code -Dfaults.rounds=20} makes
 * many of them, {@code -Dfaults.seed=…} the same again.
 */
final class KillTest {

    private static final int ROUNDS = Integer.getInteger("faults.rounds", 2);
    private static final long SEED = Long.getLong("faults.seed", System.nanoTime());
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    private Path dataDir;

    private final int port = ServerProcess.freePort();
    private final URI uri = URI.create("http://127.0.0.1:" + port);
    private final Random random = new Random(SEED);
    private final List<RecordingReader> readers = new ArrayList<>();
    private ServerProcess server;

    /** One way to bring it down; brings it up again as far as it does not do that by itself. */
    private interface Fault {
        void happen() throws IOException;
    }

    private void start() throws IOException {
        server = new ServerProcess(
                dataDir,
                Map.of(
                        "PORT",
                        Integer.toString(port),
                        "AGENTPIPE_BRIDGE_API_KEY",
                        TestServer.KEY,
                        "SSE_HEARTBEAT_INTERVAL",
                        "200"));
    }

    @AfterEach
    void stop() {
        readers.forEach(RecordingReader::close);
        if (server != null) {
            server.close();
        }
    }

    @Test
    void serverKilled_underLoad_losesNothing() throws Exception {
        surviving(ROUNDS, () -> {
            server.kill();
            start();
            if (random.nextBoolean()) { // and again, while PostgreSQL recovers
                Await.until(
                        "PostgreSQL starts", PATIENCE, () -> server.postgres().isPresent());
                server.kill();
                start();
            }
        });
    }

    @Test
    void postgresKilled_underLoad_comesBackByItself() throws Exception {
        surviving(ROUNDS, () -> {
            ProcessHandle killed = server.postgres().orElseThrow();
            killed.destroyForcibly();
            Await.until(
                    "another PostgreSQL",
                    PATIENCE,
                    () -> server.postgres().filter(one -> !one.equals(killed)).isPresent());
            assertTrue(server.isAlive(), "the server goes on");
        });
    }

    @Test
    void bothKilled_helpersOfPostgresLeftBehind_losesNothing() throws Exception {
        surviving(Math.max(1, ROUNDS / 2), () -> {
            ProcessHandle postgres = server.postgres().orElseThrow();
            server.handle().destroyForcibly();
            postgres.destroyForcibly();
            server.awaitExit(PATIENCE);
            start();
        });
    }

    @Test
    void bothKilled_andAllHelpersOfPostgres_losesNothing() throws Exception {
        surviving(Math.max(1, ROUNDS / 2), () -> {
            server.handle().destroyForcibly();
            ServerProcess.killPostgres(dataDir);
            server.awaitExit(PATIENCE);
            start();
        });
    }

    private void surviving(int rounds, Fault fault) throws Exception {
        try {
            survive(rounds, fault);
        } catch (AssertionError | Exception e) {
            throw new AssertionError("with the seed " + SEED + ": " + e.getMessage(), e);
        }
    }

    private void survive(int rounds, Fault fault) throws Exception {
        start();
        server.awaitReady();
        assertFalse(server.output().contains("can be lost in a crash"), server::output);
        reader("all", "");
        reader("one", "?conversationId=" + Load.conversation(0));
        List<String> complaints = new ArrayList<>();
        Stored stored;
        try (Load load = Load.start("m", List.<Supplier<URI>>of(() -> uri), TestServer.KEY, 4)) {
            load.awaitMore(100);
            for (int round = 0; round < rounds; round++) {
                load.awaitMore(random.nextInt(500));
                ServerProcess before = server;
                fault.happen();
                load.awaitMore(50);
                complaints.addAll(before.complaints());
            }
            load.stop();
            complaints.addAll(server.complaints());
            load.resend(() -> uri);
            stored = Stored.read(server.connect());
            stored.assertIs(load);
        }
        assertReceived(readers.get(0), stored.positions());
        assertReceived(readers.get(1), stored.positions(Load.conversation(0)));
        assertEquals(List.of(), complaints);
    }

    private void reader(String name, String query) {
        RecordingReader reader = new RecordingReader(name, () -> port, query, null);
        readers.add(reader);
        reader.connected();
    }

    private static void assertReceived(RecordingReader reader, List<Long> positions) {
        assertEquals(positions, reader.awaitCount(positions.size(), PATIENCE), reader::toString);
    }
}
