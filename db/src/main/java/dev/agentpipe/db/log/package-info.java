/**
 * The log: events become rows in one order, and old ones go.
 *
 * <p>Input: batches of events, which core's thread {@code log-writer} appends on a connection of its own; one statement gives
 * them their positions, drops what is known, and moves conversations, messages and totals. Output: records after a
 * position, to any thread, in pages bounded by number and bytes. The batch is bounded by who makes it; when PostgreSQL does
 * not keep up, the queue in front of it fills and refuses. {@link dev.agentpipe.db.log.Retention} belongs to one thread.
 */
package dev.agentpipe.db.log;
