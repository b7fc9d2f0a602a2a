package dev.agentpipe.server.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.CapturedLog;
import dev.agentpipe.server.Programs;
import dev.agentpipe.server.systemd.Systemd;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The unit, judged by systemd's own programs, and what the service manager hears, by a socket such as its own. */
final class SystemdTest {

    private static final Path UNIT = Path.of("..", "conf", "systemd", "agentpipe-server.service");
    private static final double EXPOSURE_MAX = 2.0;

    @TempDir
    private Path folder;

    /** A datagram a line; Java has no such sockets. */
    private static final String LISTENER = """
            import socket, sys
            name = sys.argv[1]
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind('\\0' + name[1:] if name[0] == '@' else name)
            print('listens', flush=True)
            while True:
                print(s.recv(4096).decode().replace('\\n', ' | '), flush=True)
            """;

    /** What a service manager hears. */
    private static final class Manager implements AutoCloseable {

        private final List<String> heard = new CopyOnWriteArrayList<>();
        private final Process process;

        Manager(String socket) throws IOException {
            process = new ProcessBuilder(Programs.need("python3").toString(), "-c", LISTENER, socket)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            Thread reader = new Thread(this::read, "manager");
            reader.setDaemon(true);
            reader.start();
            await("listens");
        }

        private void read() {
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                lines.lines().forEach(heard::add);
            } catch (IOException | UncheckedIOException ended) {
                // It was closed.
            }
        }

        void await(String start) {
            Await.until(() -> start + " in " + heard, () -> heard.stream().anyMatch(line -> line.startsWith(start)));
        }

        long count(String start) {
            return heard.stream().filter(line -> line.startsWith(start)).count();
        }

        @Override
        public void close() {
            process.destroyForcibly();
        }
    }

    @Test
    void unit_isWellFormed_andGivesAwayLittle() throws Exception {
        String analyze = Programs.need("systemd-analyze").toString();
        // It looks for what the unit runs.
        String there =
                Files.readString(UNIT).replaceAll("/usr/local/lib/agentpipe-server/bin/agentpipe-server", "/bin/true");
        Path unit = Files.writeString(folder.resolve("agentpipe-server.service"), there);
        assertEquals("", run(analyze, "verify", "--man=no", unit.toString()));

        String said = run(analyze, "security", "--no-pager", "--offline=true", UNIT.toString());
        Matcher exposure =
                Pattern.compile("Overall exposure level for \\S+: ([0-9.]+)").matcher(said);
        assertTrue(exposure.find(), said);
        assertTrue(Double.parseDouble(exposure.group(1)) < EXPOSURE_MAX, said);
    }

    @Test
    void unit_stopTimeout_isLongerThanTheDrain() throws Exception {
        Matcher stop = Pattern.compile("(?m)^TimeoutStopSec=(\\d+)$").matcher(Files.readString(UNIT));
        assertTrue(stop.find());
        assertTrue(Integer.parseInt(stop.group(1)) > 15, "the server promises to end within 15 seconds");
    }

    @Test
    void working_readyThenFedThenStopping() throws Exception {
        Path socket = folder.resolve("notify");
        try (Manager manager = new Manager(socket.toString())) {
            Systemd systemd = Systemd.of(environment(socket.toString(), 200));

            systemd.ready(patience -> List.of(), () -> "healthy,\n2 streams");

            manager.await("READY=1 | STATUS=healthy, 2 streams");
            manager.await("WATCHDOG=1 | STATUS=healthy");
            systemd.stopping();
            manager.await("STOPPING=1 | STATUS=");
        }
    }

    @Test
    void hanging_isNotFed_untilItAnswersAgain() throws Exception {
        String socket = "@agentpipe-test-" + ProcessHandle.current().pid();
        List<String> silent = new CopyOnWriteArrayList<>(List.of("http I/O-1"));
        try (Manager manager = new Manager(socket);
                CapturedLog log = new CapturedLog(Systemd.class.getName())) {
            Systemd systemd = Systemd.of(environment(socket, 200));
            systemd.ready(
                    patience -> {
                        TimeUnit.NANOSECONDS.sleep(patience.toNanos());
                        return List.copyOf(silent);
                    },
                    () -> "healthy");
            manager.await("READY=1");
            Await.until("it is told", () -> log.events().size() >= 3);
            assertTrue(
                    log.events().toString().contains("http I/O-1"), log.events().toString());
            assertEquals(0, manager.count("WATCHDOG=1"), "three times without an answer");

            silent.clear();

            manager.await("WATCHDOG=1");
            systemd.stopping();
        }
    }

    @Test
    void socketGone_isToldOnce_andHarmsNothing() throws Exception {
        Programs.need("systemd-notify");
        try (CapturedLog log = new CapturedLog("dev.agentpipe.server.systemd.Notifier")) {
            Systemd systemd = Systemd.of(environment(folder.resolve("nobody").toString(), 0));
            systemd.ready(patience -> List.of(), () -> "healthy");
            systemd.ready(patience -> List.of(), () -> "healthy");
            assertEquals(1, log.events().size(), log.events().toString());
        }
    }

    @Test
    void withoutSystemd_nothingHappens() throws Exception {
        try (CapturedLog log = new CapturedLog("dev.agentpipe.server.systemd.Notifier")) {
            Systemd systemd = Systemd.of(Map.of("WATCHDOG_USEC", "100000"));
            systemd.ready(
                    patience -> {
                        throw new AssertionError("asked");
                    },
                    () -> "healthy");
            systemd.stopping();
            assertEquals(List.of(), log.events());
        }
    }

    private static Map<String, String> environment(String socket, int watchdogMillis) {
        Programs.need("systemd-notify");
        Map<String, String> environment = new HashMap<>(Map.of("NOTIFY_SOCKET", socket));
        if (watchdogMillis > 0) {
            environment.put("WATCHDOG_USEC", Long.toString(TimeUnit.MILLISECONDS.toMicros(watchdogMillis)));
            environment.put(
                    "WATCHDOG_PID", Long.toString(ProcessHandle.current().pid()));
        }
        return environment;
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), said);
        return said;
    }
}
