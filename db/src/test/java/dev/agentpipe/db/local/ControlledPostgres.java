package dev.agentpipe.db.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A PostgreSQL of a test's own, to be stopped, frozen and misled as an external one might be: nobody but the test starts
 * it again. Quick and careless like {@link TestPostgres}. For one thread.
 */
public final class ControlledPostgres implements AutoCloseable {

    private static final String NAME = "agentpipe";
    private static final int PATIENCE_SECONDS = 60;

    private final Path cluster;
    private final Path programs;
    private final String url;
    private final String superuserUrl;
    private final String options;
    private int databases;

    private ControlledPostgres(Path folder, LocalPostgres made, Map<String, String> config) throws IOException {
        this.cluster = folder.resolve("cluster").toAbsolutePath();
        this.url = made.url(NAME);
        this.superuserUrl = made.superuserUrl(NAME);
        try (Stream<Path> unpacked = Files.list(TestPostgres.BINARIES)) {
            this.programs = unpacked.map(one -> one.resolve("bin").toAbsolutePath())
                    .filter(bin -> Files.exists(bin.resolve("pg_ctl")))
                    .findFirst()
                    .orElseThrow();
        }
        this.options = Stream.concat(
                        Stream.of(
                                "listen_addresses=localhost",
                                "unix_socket_directories=",
                                "fsync=off",
                                "port=" + url.replaceAll(".*:([0-9]+)/.*", "$1")),
                        config.entrySet().stream().map(one -> one.getKey() + "=" + one.getValue()))
                .map(setting -> "-c " + setting)
                .collect(Collectors.joining(" "));
    }

    /** Makes one with an empty database, and starts it. */
    public static ControlledPostgres start(Map<String, String> config) {
        try {
            Path folder = Files.createTempDirectory(Files.createDirectories(Path.of("target", "postgres")), "own");
            LocalPostgres made = LocalPostgres.start(folder, TestPostgres.BINARIES, Map.of("fsync", "off"));
            ControlledPostgres controlled;
            try {
                controlled = new ControlledPostgres(folder, made, config);
            } finally {
                made.close();
            }
            controlled.start();
            return controlled;
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** The URL of a new, empty database. */
    public String newDatabase() {
        String name = NAME + "_" + ++databases;
        execute("create database " + name + " owner " + NAME);
        return url.substring(0, url.lastIndexOf('/') + 1) + name;
    }

    public void start() {
        control("-w", "-l", cluster.resolveSibling("log").toString(), "-o", options, "start");
    }

    /** As an operator does: connections are cut, what was committed is on disk. */
    public void stop() {
        control("-w", "-m", "fast", "stop");
    }

    private void control(String... arguments) {
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("unshare", "-U")); // it refuses to run as root
        }
        command.addAll(List.of(programs.resolve("pg_ctl").toString(), "-D", cluster.toString()));
        command.addAll(List.of(arguments));
        run(command);
    }

    /** All its processes stand still: the kernel still takes connections and bytes for them. */
    public void freeze() {
        signal("-STOP");
    }

    public void thaw() {
        signal("-CONT");
    }

    /** The first process first: it makes no others any more. */
    private void signal(String signal) {
        ProcessHandle postmaster = postmaster();
        run(List.of("kill", signal, Long.toString(postmaster.pid())));
        for (ProcessHandle helper : postmaster.descendants().toList()) {
            try {
                run(List.of("kill", signal, Long.toString(helper.pid())));
            } catch (IllegalStateException failed) {
                if (helper.isAlive() && helper.info().commandLine().isPresent()) {
                    throw failed; // else it has ended meanwhile
                }
            }
        }
    }

    private ProcessHandle postmaster() {
        try {
            return new PostmasterFile(cluster.toRealPath()).process().orElseThrow();
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** Runs a statement as the superuser. */
    public void execute(String sql) {
        try (Connection connection = TestPostgres.connect(superuserUrl + "?socketTimeout=10");
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** To be used again after a settings change: ends the connections of the servers. */
    public void cutConnections() {
        execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = '" + NAME + "'");
    }

    private static void run(List<String> command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(command + " failed");
            }
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void close() {
        try {
            if (new PostmasterFile(cluster.toRealPath()).process().isPresent()) {
                thaw();
                control("-w", "-m", "immediate", "stop");
            }
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
