package dev.agentpipe.db.local;

import com.sun.management.OperatingSystemMXBean;
import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.DatabaseStartException;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PostgreSQL of the server's own, for a start without one: its binaries come in a jar, its data stay in a folder.
 *
 * <p>As durable as any other (fsync is on). It survives a kill of either process: what an earlier server left running is
 * ended before the start, and the thread {@code postgres-watch} starts a PostgreSQL that has died again, on the same port,
 * so that the pool finds it by itself. It listens on the loopback interface only and wants a password (in the folder,
 * readable by its owner alone), since on a shared machine everybody can connect to that; it has no Unix socket.
 *
 * <p>Thread-safe. Close it after everything that uses it.
 */
public final class LocalPostgres implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LocalPostgres.class);

    /**
     * How long each try of a start waits. The library does not notice a PostgreSQL that ends at once (as it does while
     * something of the last one still holds the shared memory), so the first tries are short; the last one has time for
     * the recovery after a crash, at most 1 GB of log.
     */
    private static final List<Duration> START_TIMEOUTS =
            List.of(Duration.ofSeconds(15), Duration.ofSeconds(15), Duration.ofMinutes(2));

    /** Includes the last checkpoint. */
    private static final Duration STOP_TIMEOUT = Duration.ofMinutes(1);

    /** How soon a death is noticed; the look at the process takes some microseconds. */
    private static final Duration WATCH_INTERVAL = Duration.ofMillis(200);

    private static final Duration COMMAND_TIMEOUT = Duration.ofSeconds(10);

    /**
     * PostgreSQL's own cache: an eighth of the memory there is (of the container, if that has less). With PostgreSQL's
     * default, the smallest here, every page of a large index is read, checked and written again and again.
     */
    private static final long BUFFERS_MIB = Math.max(128, Math.min(1_024, memoryMib() / 8));

    private static final String NAME = "agentpipe";

    private final LocalPostgresFolder folder;
    private final PostmasterFile postmaster;
    private final Map<String, String> config;
    private final int port;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread watch = new Thread(this::watch, "postgres-watch");

    // Guarded by this.
    private EmbeddedPostgres postgres;

    private static long memoryMib() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize() >> 20
                : 0;
    }

    private LocalPostgres(LocalPostgresFolder folder, Map<String, String> config) {
        this.folder = folder;
        this.postmaster = new PostmasterFile(folder.cluster());
        this.config = config;
        this.port = LocalPorts.free();
    }

    /**
     * Starts it, and makes its data at the first time.
     *
     * @param folder its own; made if it does not exist
     * @throws DatabaseStartException if another server uses the folder, or PostgreSQL does not start here
     */
    public static LocalPostgres start(Path folder) {
        return start(folder, folder.resolve("binaries"), Map.of());
    }

    /**
     * @param binaries where to unpack PostgreSQL, 50 MB; tests share one
     * @param config settings of PostgreSQL beyond, or instead of, those for production
     */
    static LocalPostgres start(Path folder, Path binaries, Map<String, String> config) {
        LocalPostgresFolder opened =
                LocalPostgresFolder.open(folder.toAbsolutePath().normalize(), binaries);
        try {
            LeftScript.remove();
            LocalPostgres local = new LocalPostgres(opened, config);
            local.startPostgres();
            local.watch.setDaemon(true);
            local.watch.start();
            return local;
        } catch (IOException | RuntimeException failed) {
            opened.close();
            throw failed instanceof DatabaseStartException explained
                    ? explained
                    : new DatabaseStartException(
                            "The built-in PostgreSQL does not start in " + folder + " (" + failed.getMessage()
                                    + "); its own lines in the log say more. As root it needs the permission to call"
                                    + " unshare; without it, run as another user, or set DATABASE_URL",
                            failed);
        }
    }

    /**
     * How the PostgreSQL is reached that a server, perhaps another process, runs in this folder; empty if none does. Whoever
     * may read the folder may also do this.
     */
    public static Optional<DatabaseSettings> running(Path folder) {
        try {
            Optional<Path> real = Files.isDirectory(folder) ? Optional.of(folder.toRealPath()) : Optional.empty();
            if (real.isEmpty()) {
                return Optional.empty();
            }
            Optional<Integer> port = new PostmasterFile(LocalPostgresFolder.cluster(real.get())).port();
            String password = port.isEmpty() ? "" : LocalPostgresFolder.password(real.get());
            return port.map(at -> DatabaseSettings.of(url(NAME, password, at, NAME), null, 0, 3, COMMAND_TIMEOUT));
        } catch (IOException unreadable) {
            throw new DatabaseStartException(
                    "The data folder " + folder + " cannot be used: " + unreadable, unreadable);
        }
    }

    /** Whether a server has ever kept its data in this folder. */
    public static boolean isIn(Path folder) {
        return LocalPostgresFolder.isComplete(folder);
    }

    private synchronized void startPostgres() throws IOException {
        for (int tries = 1; ; tries++) {
            postmaster.endLeftOver();
            // Held, within this process, by an EmbeddedPostgres that died or did not start.
            Files.deleteIfExists(folder.cluster().resolve("epg-lock"));
            try {
                postgres = builder(START_TIMEOUTS.get(tries - 1)).start();
                prepareDatabase();
                folder.markComplete();
                return;
            } catch (IOException | RuntimeException failed) {
                if (tries == START_TIMEOUTS.size() || closing.getCount() == 0) {
                    throw failed;
                }
                log.warn("The built-in PostgreSQL did not start, trying again: {}", failed.getMessage());
            }
        }
    }

    private EmbeddedPostgres.Builder builder(Duration startTimeout) throws IOException {
        // What goes to setLocaleConfig becomes an option of initdb; a second --auth beats the first, "trust".
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setDataDirectory(folder.cluster())
                .setOverrideWorkingDirectory(folder.binaries().toFile())
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setPGStartupWait(startTimeout)
                .setPort(port)
                .setConnectConfig("password", folder.password())
                .setLocaleConfig("auth", "scram-sha-256")
                .setLocaleConfig("pwfile", folder.passwordFile().toString())
                .setLocaleConfig("locale-provider", "builtin")
                .setLocaleConfig("builtin-locale", "C.UTF-8")
                .setLocaleConfig("locale", "C");
        Map<String, String> all = new HashMap<>(Map.of(
                // Off by default in this library, which is made for tests.
                "fsync", "on",
                "synchronous_commit", "on",
                "full_page_writes", "on",
                "listen_addresses", "localhost",
                "unix_socket_directories", "",
                "max_connections", "100",
                "shared_buffers", BUFFERS_MIB + "MB",
                // Most pages are in the system's cache; to hand each to another process takes longer than to read it.
                "io_method", "sync",
                "log_checkpoints", "off"));
        all.putAll(config);
        all.forEach(builder::setServerConfig);
        return builder;
    }

    /** The server works as an ordinary user: PostgreSQL's superuser may run programs. */
    private void prepareDatabase() throws IOException {
        try (Connection connection = postgres.getPostgresDatabase().getConnection();
                Statement statement = connection.createStatement()) {
            if (isMissing(statement, "select from pg_roles where rolname = '" + NAME + "'")) {
                statement.execute("create role " + NAME + " login password '" + folder.password() + "'");
            }
            if (isMissing(statement, "select from pg_database where datname = '" + NAME + "'")) {
                statement.execute("create database " + NAME + " owner " + NAME);
            }
        } catch (SQLException failed) {
            throw new IOException(failed.getMessage(), failed);
        }
    }

    private static boolean isMissing(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return !rows.next();
        }
    }

    /** How to reach it. */
    public DatabaseSettings settings(int poolMin, int poolMax, Duration timeout) {
        return DatabaseSettings.of(url(NAME), null, poolMin, poolMax, timeout);
    }

    /** With the password in it. */
    String url(String database) {
        return url(NAME, database);
    }

    String superuserUrl(String database) {
        return url("postgres", database);
    }

    private String url(String user, String database) {
        return url(user, folder.password(), port, database);
    }

    private static String url(String user, String password, int port, String database) {
        return "postgresql://" + user + ":" + password + "@localhost:" + port + "/" + database;
    }

    /** PostgreSQL's process, while it runs. */
    Optional<ProcessHandle> process() {
        try {
            return postmaster.process();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private void watch() {
        try {
            while (!closing.await(WATCH_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    restartIfDead();
                } catch (IOException | RuntimeException failed) {
                    log.error("The built-in PostgreSQL cannot be started again yet", failed);
                }
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void restartIfDead() throws IOException {
        if (closing.getCount() > 0 && postmaster.process().isEmpty()) {
            log.warn("The built-in PostgreSQL has died: starting it again");
            startPostgres();
        }
    }

    /** Stops PostgreSQL in order. */
    @Override
    public void close() {
        closing.countDown();
        synchronized (this) {
            process().ifPresent(this::stop);
        }
        folder.close();
    }

    private void stop(ProcessHandle process) {
        try {
            postgres.close();
        } catch (IOException failed) {
            log.warn("The built-in PostgreSQL was not stopped in order", failed);
        }
        // The library waits for 5 seconds only.
        if (!PostmasterFile.awaitExit(process, STOP_TIMEOUT)) {
            PostmasterFile.end(process, Duration.ZERO);
        }
    }
}
