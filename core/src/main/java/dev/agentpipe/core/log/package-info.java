/**
 * Stages 2 and 3 of the path: events become positions in one durable, totally ordered log, and come out of it in order.
 *
 * <p>Input: events. Output: their {@link dev.agentpipe.core.log.AppendResult}s to those who wait for them, and the log's
 * records, each once and in the order of their positions, to the broadcast. {@link
 * dev.agentpipe.core.log.GroupCommit} owns the thread {@code log-writer} and a bounded queue: when it is full, an event is
 * refused at once. {@link dev.agentpipe.core.log.LogTail} owns the thread {@code log-tail} and holds no more than the
 * page that it reads.
 */
package dev.agentpipe.core.log;
