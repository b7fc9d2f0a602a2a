package dev.agentpipe.db.local;

import dev.agentpipe.db.postgres.DatabaseSettings;
import dev.agentpipe.db.postgres.PostgresUrl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** One PostgreSQL for all tests of a JVM, quick and careless (no fsync), with a fresh database for each that asks. */
public final class TestPostgres {

    /**
     * Unpacked once for all test runs, until target/ is removed. Each of Surefire's JVMs has its own: a start removes what
     * is unpacked in part, which here could be what the JVM beside it is unpacking.
     */
    static final Path BINARIES = Path.of("target", "postgres-binaries", System.getProperty("test.jvm", "1"));

    private static final LocalPostgres POSTGRES = start();
    private static final AtomicInteger DATABASES = new AtomicInteger();

    private TestPostgres() {}

    private static LocalPostgres start() {
        try {
            Path folder = newFolder();
            Map<String, String> careless =
                    Map.of("fsync", "off", "synchronous_commit", "off", "full_page_writes", "off");
            LocalPostgres postgres = LocalPostgres.start(folder, BINARIES, careless);
            Runtime.getRuntime()
                    .addShutdownHook(new Thread(
                            () -> {
                                postgres.close();
                                delete(folder);
                            },
                            "test-postgres-close"));
            return postgres;
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** For a PostgreSQL's data: 40 MB, so delete it. */
    static Path newFolder() throws IOException {
        return Files.createTempDirectory(Files.createDirectories(Path.of("target", "postgres")), "data");
    }

    static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** The URL of a new, empty database. */
    public static String newDatabase() {
        String name = "test_" + DATABASES.incrementAndGet();
        try (Connection connection = connect(POSTGRES.superuserUrl("postgres"));
                Statement statement = connection.createStatement()) {
            statement.execute("create database " + name + " owner agentpipe");
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
        return POSTGRES.url(name);
    }

    /** Where PostgreSQL lies unpacked; empty if nobody has asked for one yet, ever. */
    public static Optional<Path> unpacked() throws IOException {
        if (!Files.isDirectory(BINARIES)) {
            return Optional.empty();
        }
        try (Stream<Path> children = Files.list(BINARIES)) {
            return children.anyMatch(child -> Files.exists(child.resolve(".exists")))
                    ? Optional.of(BINARIES.toAbsolutePath())
                    : Optional.empty();
        }
    }

    public static DatabaseSettings settings(String url) {
        return DatabaseSettings.of(url, null, 1, 4, Duration.ofSeconds(30));
    }

    public static Connection connect(String url) throws SQLException {
        PostgresUrl parsed = PostgresUrl.parse(url);
        return DriverManager.getConnection(parsed.jdbcUrl(), parsed.user(), parsed.password());
    }
}
