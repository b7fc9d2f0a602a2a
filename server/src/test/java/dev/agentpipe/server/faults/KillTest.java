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
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
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

    private final Random random = new Random(SEED);

    @AutoClose
    private RestartedServer server;

    /** One way to bring it down; brings it up again as far as it does not do that by itself. */
    private interface Fault {
        void happen() throws IOException;
    }

    @BeforeEach
    void prepare() {
        server = new RestartedServer(dataDir, Duration.ofMillis(200));
    }

    @Test
    void serverKilled_underLoad_losesNothing() throws Exception {
        surviving(ROUNDS, () -> {
            server.process().kill();
            server.start();
            if (random.nextBoolean()) { // and again, while PostgreSQL recovers
                Await.until(
                        "PostgreSQL starts",
                        PATIENCE,
                        () -> server.process().postgres().isPresent());
                server.process().kill();
                server.start();
            }
        });
    }

    @Test
    void postgresKilled_underLoad_comesBackByItself() throws Exception {
        surviving(ROUNDS, () -> {
            ProcessHandle killed = server.process().postgres().orElseThrow();
            killed.destroyForcibly();
            Await.until(
                    "another PostgreSQL",
                    PATIENCE,
                    () -> server.process()
                            .postgres()
                            .filter(one -> !one.equals(killed))
                            .isPresent());
            assertTrue(server.process().isAlive(), "the server goes on");
        });
    }

    @Test
    void bothKilled_helpersOfPostgresLeftBehind_losesNothing() throws Exception {
        surviving(Math.max(1, ROUNDS / 2), () -> {
            ProcessHandle postgres = server.process().postgres().orElseThrow();
            server.process().handle().destroyForcibly();
            postgres.destroyForcibly();
            server.process().awaitExit(PATIENCE);
            server.start();
        });
    }

    @Test
    void bothKilled_andAllHelpersOfPostgres_losesNothing() throws Exception {
        surviving(Math.max(1, ROUNDS / 2), () -> {
            server.process().handle().destroyForcibly();
            ServerProcess.killPostgres(dataDir);
            server.process().awaitExit(PATIENCE);
            server.start();
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
        server.start();
        server.process().awaitReady();
        assertFalse(
                server.process().output().contains("can be lost in a crash"),
                () -> server.process().output());
        RecordingReader all = server.reader("all", "");
        RecordingReader one = server.reader("one", "?conversationId=" + Load.conversation(0));
        all.connected();
        one.connected();
        List<String> complaints = new ArrayList<>();
        Stored stored;
        try (Load load = Load.start("m", List.<Supplier<URI>>of(server::uri), TestServer.KEY, 4)) {
            load.awaitMore(100);
            for (int round = 0; round < rounds; round++) {
                load.awaitMore(random.nextInt(500));
                ServerProcess before = server.process();
                fault.happen();
                load.awaitMore(50);
                complaints.addAll(before.complaints());
            }
            load.stop();
            complaints.addAll(server.process().complaints());
            load.resend(server::uri);
            stored = Stored.read(server.process().connect());
            stored.assertIs(load);
        }
        assertReceived(all, stored.positions());
        assertReceived(one, stored.positions(Load.conversation(0)));
        assertEquals(List.of(), complaints);
    }

    private static void assertReceived(RecordingReader reader, List<Long> positions) {
        assertEquals(positions, reader.awaitCount(positions.size(), PATIENCE), reader::toString);
    }
}
