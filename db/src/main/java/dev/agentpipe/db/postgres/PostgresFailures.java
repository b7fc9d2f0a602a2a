package dev.agentpipe.db.postgres;

import dev.agentpipe.core.log.LogUnavailableException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;

/**
 * Tells a PostgreSQL that is away, where asking again helps, from a request that will fail each time. By SQLState
 * (PostgreSQL, appendix A), since messages are translated.
 */
public final class PostgresFailures {

    /**
     * 08 connection (also pgjdbc's for a socket timeout), 28 and 3D the login or the database are refused for now, 40
     * deadlock or serialization, 53 no disk, memory or connections left, 55 in use (a lock), 57 shutting down or
     * cancelled, 58 error of the system around it.
     */
    private static final Set<String> AWAY_CLASSES = Set.of("08", "28", "3D", "40", "53", "55", "57", "58");

    /** A server that became a standby. */
    private static final String READ_ONLY = "25006";

    private PostgresFailures() {}

    /** What to throw instead: {@link LogUnavailableException} if PostgreSQL is away, else the exception itself. */
    public static RuntimeException translated(RuntimeException exception) {
        return isAway(exception) ? away(exception) : exception;
    }

    public static RuntimeException translated(SQLException exception) {
        return isAway(exception)
                ? away(exception)
                : new IllegalStateException("PostgreSQL refused: " + exception.getMessage(), exception);
    }

    /** In the words of the innermost exception: around it is only the pool's, that there was no connection in time. */
    private static LogUnavailableException away(Exception exception) {
        String why = exception.getMessage();
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException) {
                why = cause.getMessage();
            }
        }
        String firstLine = why == null ? "" : why.lines().findFirst().orElse("");
        return new LogUnavailableException("PostgreSQL is away: " + firstLine, exception);
    }

    public static boolean isAway(Throwable exception) {
        for (Throwable cause = exception; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && isAway(sql)) {
                return true;
            }
        }
        return false;
    }

    /** PostgreSQL's errors all have a state; a closed pool's has none. The types are the pool's and JDBC's. */
    private static boolean isAway(SQLException exception) {
        String state = exception.getSQLState();
        return state == null
                || exception instanceof SQLTransientConnectionException
                || exception instanceof SQLNonTransientConnectionException
                || exception instanceof SQLTimeoutException
                || state.equals(READ_ONLY)
                || (state.length() == 5 && AWAY_CLASSES.contains(state.substring(0, 2)));
    }
}
