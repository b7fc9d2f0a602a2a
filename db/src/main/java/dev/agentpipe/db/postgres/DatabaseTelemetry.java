package dev.agentpipe.db.postgres;

/**
 * What the work with PostgreSQL tells of itself; by itself it tells nothing. Called on the threads that do the work:
 * implementations are thread-safe, and block never.
 */
public interface DatabaseTelemetry {

    DatabaseTelemetry NONE = new DatabaseTelemetry() {};

    /**
     * A statement has ended, or the transaction of an append or an upload.
     *
     * @param name what it is for: one of a fixed number of words
     * @param nanos without the wait for a connection
     */
    default void executed(String name, long nanos, boolean failed) {}

    /** A thread has got a connection of a pool, after so long. */
    default void connected(String pool, long waitedNanos) {}

    /** A thread has waited for a connection in vain. */
    default void timedOut(String pool) {}
}
