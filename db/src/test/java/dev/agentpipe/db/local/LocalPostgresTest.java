package dev.agentpipe.db.local;

import static dev.agentpipe.core.log.TestEvents.messages;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.TestRows;
import dev.agentpipe.db.keys.ApiKeys;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class LocalPostgresTest {

    private Path folder;
    private LocalPostgres postgres;

    @BeforeEach
    void start() throws Exception {
        folder = TestPostgres.newFolder().resolve("postgres");
        postgres = startIn(folder);
    }

    @AfterEach
    void stop() {
        postgres.close();
        TestPostgres.delete(folder.getParent());
    }

    private static LocalPostgres startIn(Path folder) {
        return LocalPostgres.start(folder, TestPostgres.BINARIES, Map.of());
    }

    private Database open() {
        return Database.open(postgres.settings(1, 3, Duration.ofSeconds(3)));
    }

    @Test
    void start_isDurableLocalAndLocked() throws Exception {
        try (TestRows rows = new TestRows(postgres.url("agentpipe"))) {
            for (String setting : List.of("fsync", "synchronous_commit", "full_page_writes")) {
                assertEquals("on", rows.value("show " + setting));
            }
            assertEquals("localhost", rows.value("show listen_addresses"));
            assertEquals("off", rows.value("show is_superuser"));
            assertEquals("élan", rows.value("select lower('ÉLAN')"));
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder)));
        try (TestRows rows = new TestRows(postgres.superuserUrl("postgres"))) {
            assertEquals("", rows.value("show unix_socket_directories"));
        }
        String guessed = postgres.superuserUrl("postgres").replaceFirst(":[^:@]*@", "@");
        assertThrows(SQLException.class, () -> TestPostgres.connect(guessed));
        String wrong = postgres.superuserUrl("postgres").replaceFirst(":[^:@]*@", ":wrong@");
        assertThrows(SQLException.class, () -> TestPostgres.connect(wrong));
    }

    @Test
    void start_folderOfALivingServer_isRefused() {
        DatabaseStartException refused = assertThrows(DatabaseStartException.class, () -> startIn(folder));

        assertTrue(refused.getMessage().contains("uses the data folder"), refused.getMessage());
        try (Database database = open()) {
            assertEquals(0, database.eventLog().state().head());
        }
    }

    @Test
    void running_isReachedByWhoMayReadTheFolder() throws Exception {
        open().close(); // makes the schema
        DatabaseSettings running = LocalPostgres.running(folder).orElseThrow();
        assertEquals(List.of(), ApiKeys.connect(running).load().keys());
        assertTrue(LocalPostgres.isIn(folder));

        postgres.close();
        assertEquals(Optional.empty(), LocalPostgres.running(folder));
        assertEquals(Optional.empty(), LocalPostgres.running(folder.resolveSibling("none")));
        assertFalse(LocalPostgres.isIn(folder.resolveSibling("none")));
    }

    @Test
    void closeAndStart_keepsTheData() {
        try (Database database = open()) {
            database.eventLog().append(messages("c", "m", 3));
        }
        ProcessHandle before = postgres.process().orElseThrow();
        postgres.close();
        assertTrue(PostmasterFile.awaitExit(before, Duration.ZERO));

        postgres = startIn(folder);
        try (Database database = open()) {
            assertEquals(3, database.eventLog().state().head());
        }
    }

    @Test
    void postgresKilled_isStartedAgainAndNothingAcknowledgedIsLost() {
        try (Database database = open()) {
            EventLog log = database.eventLog();
            for (int round = 0; round < 2; round++) {
                long head = log.append(messages("c", "before" + round, 3)).head();
                ProcessHandle killed = postgres.process().orElseThrow();
                assertTrue(killed.destroyForcibly());

                await(() -> postgres.process()
                        .filter(running -> running.pid() != killed.pid())
                        .orElseThrow(() -> new LogUnavailableException("not yet", null)));
                int number = round;
                assertEquals(
                        head + 3,
                        await(() ->
                                log.append(messages("c", "after" + number, 3)).head()));
                assertEquals(head + 3, await(() -> log.state().head()));
            }
        }
    }

    @Test
    void postgresFrozen_failsInTimeAndRecovers() throws Exception {
        try (Database database = open()) {
            EventLog log = database.eventLog();
            log.append(messages("c", "before", 3));
            long pid = postgres.process().orElseThrow().pid();
            List<Long> frozen = ProcessHandle.of(pid)
                    .orElseThrow()
                    .descendants()
                    .map(ProcessHandle::pid)
                    .toList();
            signal("STOP", pid, frozen);
            try {
                Instant start = Instant.now();
                assertThrows(LogUnavailableException.class, () -> log.append(messages("c", "during", 3)));
                assertThrows(LogUnavailableException.class, database::ping);
                assertThrows(LogUnavailableException.class, () -> log.append(messages("c", "during", 3)));
                // The statement's 3 s, once; after that the wait for a connection, 1 s each.
                assertTrue(Duration.between(start, Instant.now()).compareTo(Duration.ofSeconds(10)) < 0);
            } finally {
                signal("CONT", pid, frozen);
            }
            long head = await(() -> log.append(messages("c", "during", 3)).head());
            assertEquals(6, head);
        }
    }

    private static void signal(String name, long pid, List<Long> others) throws Exception {
        for (long each : others) {
            kill(name, each);
        }
        kill(name, pid);
    }

    private static void kill(String name, long pid) throws Exception {
        assertTrue(new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid + " || true")
                .start()
                .waitFor(10, TimeUnit.SECONDS));
    }

    @Test
    void serverKilled_nextStartEndsItsPostgresAndKeepsTheData() throws Exception {
        try (Database database = open()) {
            database.eventLog().append(messages("c", "m", 3));
        }
        postgres.close();
        Path temporary = Files.createDirectory(folder.resolveSibling("temporary"));
        Process server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("java.class.path"),
                        Server.class.getName(),
                        folder.toString(),
                        TestPostgres.BINARIES.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        long left;
        BufferedReader out = new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8));
        try {
            String line;
            do {
                line = Optional.ofNullable(out.readLine()).orElseThrow();
            } while (!line.startsWith("postgres "));
            left = Long.parseLong(line.substring("postgres ".length()));
        } finally {
            // Not Process.destroyForcibly(): that one closes the streams while they are read.
            server.toHandle().destroyForcibly();
            server.waitFor(10, TimeUnit.SECONDS);
        }
        assertTrue(ProcessHandle.of(left).orElseThrow().isAlive());
        try (Stream<Path> scripts = Files.list(temporary)) {
            assertEquals(
                    List.of(),
                    scripts.filter(file -> file.toString().endsWith(".sh")).toList());
        }

        postgres = startIn(folder);

        assertTrue(ProcessHandle.of(left)
                .map(process -> PostmasterFile.awaitExit(process, Duration.ZERO))
                .orElse(true));
        try (Database database = open()) {
            assertEquals(3, database.eventLog().state().head());
        }
    }

    /** A server that will be killed. It must not touch TestPostgres, whose PostgreSQL would be left running, too. */
    static final class Server {
        public static void main(String[] args) throws Exception {
            LocalPostgres postgres = LocalPostgres.start(Path.of(args[0]), Path.of(args[1]), Map.of());
            System.out.println("postgres " + postgres.process().orElseThrow().pid());
            System.out.flush();
            Thread.currentThread().join();
        }
    }

    @Test
    void start_pidFileThatNamesAnotherProcess_isNoObstacle() throws Exception {
        postgres.close();
        Path pidFile = folder.resolve("cluster").resolve("postmaster.pid");
        Files.writeString(pidFile, ProcessHandle.current().pid() + "\n" + folder.resolve("cluster") + "\n");

        postgres = startIn(folder);

        assertTrue(ProcessHandle.current().isAlive());
        assertTrue(postgres.process().isPresent());
    }

    @Test
    void start_afterAnUnfinishedFirstStart_beginsAnew() throws Exception {
        postgres.close();
        Files.delete(folder.resolve("complete"));
        Files.delete(folder.resolve("cluster").resolve("global").resolve("pg_control"));

        postgres = startIn(folder);

        assertTrue(postgres.process().isPresent());
    }

    private static <T> T await(Supplier<T> attempt) {
        Instant deadline = Instant.now().plus(Duration.ofSeconds(60));
        while (true) {
            try {
                return attempt.get();
            } catch (LogUnavailableException away) {
                if (Instant.now().isAfter(deadline)) {
                    throw away;
                }
                Thread.onSpinWait();
            }
        }
    }
}
