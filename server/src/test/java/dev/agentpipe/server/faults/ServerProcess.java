package dev.agentpipe.server.faults;

import dev.agentpipe.db.local.TestPostgres;
import dev.agentpipe.server.SecretsSearch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The program as a process of its own: {@code serve} with an environment, its lines kept, to be killed at will. When it is
 * closed it and the PostgreSQL in its data folder are gone, whatever happened.
 */
final class ServerProcess implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Pattern READY = Pattern.compile("AgentPipe Streaming is ready at (http://\\S+)");

    /** As text. */
    private static final Pattern REQUEST = Pattern.compile("^[^ ]+ INFO +\\[[^]]*] requests ");

    private final Path dataDir;
    private final Process process;
    private final Thread capture;

    // Guarded by itself.
    private final List<String> lines = new ArrayList<>();

    /** @param environment all of it, but for what a process needs to run at all */
    ServerProcess(Path dataDir, Map<String, String> environment) throws IOException {
        this.dataDir = dataDir.toAbsolutePath();
        shareBinaries(this.dataDir);
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-Duser.timezone=Pacific/Chatham",
                        "-Duser.language=tr",
                        "-Duser.country=TR",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "dev.agentpipe.server.Main",
                        "serve")
                .redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        builder.environment().put("DATA_DIR", this.dataDir.toString());
        builder.environment().put("PORT", "0");
        builder.environment().put("METRICS_PORT", "0");
        builder.environment().put("RATE_LIMIT_MAX_REQUESTS", "0");
        builder.environment().put("RATE_LIMIT_UPLOADS", "0");
        builder.environment().putAll(environment);
        environment.forEach((name, value) -> {
            if (name.endsWith("_API_KEY")) {
                List.of(value.split(",")).forEach(SecretsSearch::hide);
            }
        });
        this.process = builder.start();
        this.capture = new Thread(() -> capture(process.getInputStream()), "server-process-lines");
        capture.setDaemon(true);
        capture.start();
    }

    /** Spares each data folder the unpacking of PostgreSQL, if some test has it unpacked. */
    static void shareBinaries(Path dataDir) throws IOException {
        Path binaries = dataDir.resolve("postgres").resolve("binaries");
        if (!Files.exists(binaries) && TestPostgres.unpacked().isPresent()) {
            Files.createDirectories(binaries.getParent());
            Files.createSymbolicLink(binaries, TestPostgres.unpacked().get());
        }
    }

    /** Below 32768, from where on the system gives ports to connections. */
    static int freePort() {
        for (int tries = 0; tries < 100; tries++) {
            int port = ThreadLocalRandom.current().nextInt(15_000, 20_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new AssertionError("no free port");
    }

    private void capture(InputStream out) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(out, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                SecretsSearch.printed(line);
                if (REQUEST.matcher(line).find()) {
                    continue; // so many that to look through them would take long
                }
                synchronized (lines) {
                    lines.add(line);
                }
            }
        } catch (IOException killed) {
            // What was read is kept.
        }
    }

    /** Everything it has said. */
    String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    /** Returns its address, once it has said it. */
    URI awaitReady() {
        Await.until(
                () -> "ready: " + output(),
                PATIENCE,
                () -> READY.matcher(output()).find() || !process.isAlive());
        Matcher matcher = READY.matcher(output());
        if (!matcher.find()) {
            throw new AssertionError("ended with " + awaitExit(PATIENCE) + ": " + output());
        }
        return URI.create(matcher.group(1));
    }

    void awaitLine(String part) {
        Await.until(() -> part + ": " + output(), PATIENCE, () -> output().contains(part));
    }

    ProcessHandle handle() {
        return process.toHandle();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** SIGTERM. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** SIGKILL. */
    void kill() {
        process.toHandle().destroyForcibly();
        awaitExit(PATIENCE);
    }

    /** Its exit code, with all its lines read. */
    int awaitExit(Duration patience) {
        try {
            if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still running after " + patience.toMillis() + " ms: " + output());
            }
            capture.join(1_000); // a PostgreSQL that lives on may hold the pipe open
            return process.exitValue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The embedded PostgreSQL's first process, while it runs. */
    Optional<ProcessHandle> postgres() {
        return postgres(dataDir);
    }

    static Optional<ProcessHandle> postgres(Path dataDir) {
        return postmasterLine(dataDir, 0)
                .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid)))
                .filter(ProcessHandle::isAlive)
                .filter(handle -> handle.info().commandLine().orElse("").contains(dataDir.toString()));
    }

    private static Optional<String> postmasterLine(Path dataDir, int index) {
        try {
            List<String> all = Files.readAllLines(dataDir.toAbsolutePath()
                    .resolve("postgres")
                    .resolve("cluster")
                    .resolve("postmaster.pid"));
            return all.size() <= index
                    ? Optional.empty()
                    : Optional.of(all.get(index).strip());
        } catch (IOException none) {
            return Optional.empty();
        }
    }

    /** A connection to the embedded PostgreSQL, to see what is stored. */
    Connection connect() throws SQLException, IOException {
        String password = Files.readString(dataDir.resolve("postgres").resolve("password"))
                .strip();
        String port = postmasterLine(dataDir, 3).orElseThrow();
        return TestPostgres.connect("postgresql://agentpipe:" + password + "@localhost:" + port + "/agentpipe");
    }

    /** The lines that tell of a defect. */
    List<String> complaints() {
        return output().lines()
                .filter(line -> line.contains(" ERROR ") || line.contains("Exception in thread"))
                .toList();
    }

    @Override
    public void close() {
        process.toHandle().destroyForcibly();
        killPostgres(dataDir);
        Path binaries = dataDir.resolve("postgres").resolve("binaries");
        try {
            if (Files.isSymbolicLink(binaries)) {
                Files.delete(binaries); // whoever removes the folder shall not wonder where it leads
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills what is left of a data folder's PostgreSQL. */
    static void killPostgres(Path dataDir) {
        postgres(dataDir).ifPresent(postmaster -> {
            List<ProcessHandle> all = Stream.concat(Stream.of(postmaster), postmaster.descendants())
                    .toList();
            all.forEach(ProcessHandle::destroyForcibly);
            Await.until(
                    "PostgreSQL is gone",
                    Duration.ofSeconds(10),
                    () -> all.stream().noneMatch(ServerProcess::isRunning));
        });
    }

    /** A process that nobody waits for (a zombie) has no command line any more. */
    private static boolean isRunning(ProcessHandle process) {
        return process.isAlive() && process.info().commandLine().isPresent();
    }
}
