/**
 * The embedded PostgreSQL: for a start without a database of one's own.
 *
 * <p>Input: a folder, which one server has at a time. Output: a running PostgreSQL in it, on the loopback interface, and its
 * {@link dev.agentpipe.db.postgres.DatabaseSettings}. The thread {@code postgres-watch} starts it again if it dies. A folder
 * or a port that somebody else has, and a start that takes too long, end in a {@link
 * dev.agentpipe.db.postgres.DatabaseStartException} that says so; a full disk is PostgreSQL's to tell.
 */
package dev.agentpipe.db.local;
