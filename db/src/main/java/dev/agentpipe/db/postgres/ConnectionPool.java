package dev.agentpipe.db.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.metrics.IMetricsTracker;
import com.zaxxer.hikari.util.DriverDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.postgresql.PGConnection;

/**
 * How connections are made. Each wait has an end: without one, a PostgreSQL that is frozen, or behind a network that drops
 * packets, would hold its callers for hours.
 */
public final class ConnectionPool {

    /** For a connection, from a pool or a new one: long enough for a TCP packet that is sent again, and no hang. */
    public static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);

    /** The first login of a JVM runs a key derivation that nothing has compiled yet: seconds, on a machine with other work. */
    private static final Duration FIRST_LOGIN_TIMEOUT = Duration.ofSeconds(10);

    static {
        System.setProperty("org.jooq.no-logo", "true");
        System.setProperty("org.jooq.no-tips", "true");
    }

    private ConnectionPool() {}

    /**
     * @param statementTimeout after it the connection is given up; the statement may have taken effect
     */
    public static HikariDataSource open(
            String name,
            PostgresUrl url,
            int connectionsMin,
            int connectionsMax,
            Duration statementTimeout,
            DatabaseTelemetry telemetry) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(name);
        DataSource driver =
                new DriverDataSource(url.jdbcUrl(), null, properties(statementTimeout), url.user(), url.password());
        config.setDataSource(url.jdbcUrl().contains("prepareThreshold=") ? driver : new PoolerCheck(driver));
        config.setMinimumIdle(connectionsMin);
        config.setMaximumPoolSize(connectionsMax);
        config.setConnectionTimeout(CONNECT_TIMEOUT.toMillis());
        config.setValidationTimeout(CONNECT_TIMEOUT.toMillis());
        // The schema's own connection tells what is wrong with PostgreSQL; the pool waits for it.
        config.setInitializationFailTimeout(-1);
        config.setMetricsTrackerFactory((pool, state) -> new Tracker(pool, telemetry));
        return new HikariDataSource(config);
    }

    private record Tracker(String pool, DatabaseTelemetry telemetry) implements IMetricsTracker {
        @Override
        public void recordConnectionAcquiredNanos(long elapsedAcquiredNanos) {
            telemetry.connected(pool, elapsedAcquiredNanos);
        }

        @Override
        public void recordConnectionTimeout() {
            telemetry.timedOut(pool);
        }
    }

    /** Connections without a pool, and statements without an end: for migrations. */
    public static DataSource unpooled(PostgresUrl url) {
        Properties properties = properties(Duration.ZERO);
        properties.setProperty("loginTimeout", Long.toString(FIRST_LOGIN_TIMEOUT.toSeconds()));
        properties.setProperty("prepareThreshold", "0"); // nothing comes often, and behind a pooler names collide
        return new DriverDataSource(url.jdbcUrl(), null, properties, url.user(), url.password());
    }

    /** Whether a pooler stands between: the login was told of another process of PostgreSQL than the one that answers. */
    public static boolean isPooled(Connection connection) throws SQLException {
        int timeout = connection.getNetworkTimeout();
        connection.setNetworkTimeout(Runnable::run, (int) (2 * CONNECT_TIMEOUT.toMillis()));
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
            row.next();
            return row.getInt(1) != connection.unwrap(PGConnection.class).getBackendPID();
        } finally {
            connection.setNetworkTimeout(Runnable::run, timeout);
        }
    }

    public static DSLContext context(DataSource connections) {
        return DSL.using(connections, SQLDialect.POSTGRES);
    }

    /** What the URL says comes before these. */
    private static Properties properties(Duration statementTimeout) {
        Properties properties = new Properties();
        properties.setProperty("ApplicationName", "agentpipe-server");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("connectTimeout", Long.toString(CONNECT_TIMEOUT.toSeconds()));
        // Of the whole login, which a frozen PostgreSQL never answers although its kernel takes the connection.
        properties.setProperty("loginTimeout", Long.toString(2 * CONNECT_TIMEOUT.toSeconds()));
        properties.setProperty(
                "socketTimeout", Long.toString(statementTimeout.plusMillis(999).toSeconds()));
        // PostgreSQL's details quote the row that it refused: what somebody said to an agent must not get into a log.
        properties.setProperty("logServerErrorDetail", "false");
        return properties;
    }
}
