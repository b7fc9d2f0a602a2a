package dev.agentpipe.db.local;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * The PostgreSQL that the system's packages have installed, with its pg_dump, on a data folder of a test's own: what an
 * operator has. Quick and careless. For one thread.
 */
public final class InstalledPostgres implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 60;
    private static final String PASSWORD = "installed_0123";

    private final Path programs;
    private final Path folder;
    private final int port = LocalPorts.free();
    private int databases;

    private InstalledPostgres(Path programs) throws IOException {
        this.programs = programs;
        this.folder = Files.createTempDirectory(Files.createDirectories(Path.of("target", "postgres")), "installed")
                .toAbsolutePath();
        Path password = folder.resolve("password");
        Files.createFile(password, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(password, PASSWORD);
        run(
                "initdb",
                "--pgdata=" + folder.resolve("cluster"),
                "--username=postgres",
                "--auth=scram-sha-256",
                "--pwfile=" + password,
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync");
        run(
                "pg_ctl",
                "-w",
                "-D",
                folder.resolve("cluster").toString(),
                "-l",
                folder.resolve("log").toString(),
                "-o",
                "-c listen_addresses=localhost -c unix_socket_directories= -c fsync=off -c port=" + port,
                "start");
    }

    /** Skips the test that asks if there is none; with CI=true it fails. */
    public static InstalledPostgres start() {
        try {
            Optional<Path> programs = programs();
            assertTrue(programs.isPresent() || !"true".equals(System.getenv("CI")), "CI needs postgresql");
            assumeTrue(programs.isPresent(), "there is no PostgreSQL in /usr/lib/postgresql");
            return new InstalledPostgres(programs.get());
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    private static Optional<Path> programs() throws IOException {
        Path all = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(all)) {
            try (DirectoryStream<Path> versions = Files.newDirectoryStream(all)) {
                for (Path version : versions) {
                    Path bin = version.resolve("bin");
                    if (Files.isExecutable(bin.resolve("initdb")) && Files.isExecutable(bin.resolve("pg_dump"))) {
                        return Optional.of(bin);
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The URL of a new, empty database of an ordinary user. */
    public String newDatabase() {
        String name = "agentpipe_" + ++databases;
        String admin = "jdbc:postgresql://localhost:" + port + "/postgres?user=postgres&password=" + PASSWORD;
        try (Connection connection = DriverManager.getConnection(admin);
                Statement statement = connection.createStatement()) {
            statement.execute("create role " + name + " login password '" + PASSWORD + "'");
            statement.execute("create database " + name + " owner " + name);
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
        return "postgresql://" + name + ":" + PASSWORD + "@localhost:" + port + "/" + name;
    }

    private void run(String program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("unshare", "-U")); // it refuses to run as root
        }
        command.add(programs.resolve(program).toString());
        command.addAll(List.of(arguments));
        Path said = folder.resolve(program + ".out");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(command + " failed: " + Files.readString(said));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(interrupted);
        }
    }

    @Override
    public void close() {
        try {
            run("pg_ctl", "-w", "-D", folder.resolve("cluster").toString(), "-m", "immediate", "stop");
            TestPostgres.delete(folder);
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
