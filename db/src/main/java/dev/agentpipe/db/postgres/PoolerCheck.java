package dev.agentpipe.db.postgres;

import java.io.PrintWriter;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Logger;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.slf4j.LoggerFactory;

/**
 * Gives out connections that work behind a pooler. One that pools transactions gives each of them another connection of
 * PostgreSQL, where what was prepared on the last one is not known: statements with names fail, now and then, under load. So
 * they get none there; a {@code prepareThreshold} in the URL decides otherwise.
 * Asking costs a round trip for each new connection.
 *
 * <p>Thread-safe.
 */
final class PoolerCheck implements DataSource {

    private static final AtomicBoolean isTold = new AtomicBoolean();

    private final DataSource connections;

    PoolerCheck(DataSource connections) {
        this.connections = connections;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection connection = connections.getConnection();
        try {
            if (ConnectionPool.isPooled(connection)) {
                connection.unwrap(PGConnection.class).setPrepareThreshold(0);
                tell();
            }
            return connection;
        } catch (SQLException | RuntimeException failed) {
            connection.close();
            throw failed;
        }
    }

    private static void tell() {
        if (isTold.compareAndSet(false, true)) {
            LoggerFactory.getLogger(PoolerCheck.class)
                    .info("DATABASE_URL leads through a connection pooler: statements are not prepared");
        }
    }

    @Override
    public Connection getConnection(String user, String password) throws SQLException {
        throw new SQLFeatureNotSupportedException();
    }

    @Override
    public PrintWriter getLogWriter() throws SQLException {
        return connections.getLogWriter();
    }

    @Override
    public void setLogWriter(PrintWriter out) throws SQLException {
        connections.setLogWriter(out);
    }

    @Override
    public void setLoginTimeout(int seconds) throws SQLException {
        connections.setLoginTimeout(seconds);
    }

    @Override
    public int getLoginTimeout() throws SQLException {
        return connections.getLoginTimeout();
    }

    @Override
    public Logger getParentLogger() throws SQLFeatureNotSupportedException {
        return connections.getParentLogger();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return connections.unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return connections.isWrapperFor(type);
    }
}
