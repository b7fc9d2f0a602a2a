package dev.agentpipe.db.local;

import dev.agentpipe.db.postgres.PostgresUrl;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicInteger;

/** The embedded PostgreSQL as a server starts it (fsync on), for benchmarks: it stays while servers come and go. */
public final class DurablePostgres implements AutoCloseable {

    private final LocalPostgres postgres;
    private final AtomicInteger databases = new AtomicInteger();

    /** @param folder its own; made if it does not exist */
    public DurablePostgres(Path folder) {
        postgres = LocalPostgres.start(folder);
    }

    /** Makes an empty database; returns its URL. */
    public String newDatabase() throws SQLException {
        String name = "bench_" + databases.incrementAndGet();
        execute("create database " + name + " owner agentpipe");
        return postgres.url(name);
    }

    /** Removes a database, with the connections to it, and writes out what is still to be written. */
    public void drop(String url) throws SQLException {
        execute("drop database " + url.substring(url.lastIndexOf('/') + 1) + " with (force)");
        checkpoint();
    }

    /** So that what was written before does not disturb what is measured next. */
    public void checkpoint() throws SQLException {
        execute("checkpoint");
    }

    private void execute(String sql) throws SQLException {
        PostgresUrl url = PostgresUrl.parse(postgres.superuserUrl("postgres"));
        try (Connection connection = DriverManager.getConnection(url.jdbcUrl(), url.user(), url.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** Its main process. */
    public long pid() {
        return postgres.process().orElseThrow().pid();
    }

    @Override
    public void close() {
        postgres.close();
    }
}
