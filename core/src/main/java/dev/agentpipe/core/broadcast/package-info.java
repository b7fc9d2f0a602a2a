/**
 * Stage 4 of the path: the log's records, in order, reach those who read along.
 *
 * <p>Input: records in the order of their positions, from the log's tail. Output: the same records, encoded once, held
 * in a window of memory that is bounded in number and bytes; readers move along it with cursors of their own and are
 * woken, never called. A reader that falls out of the window goes back to reading the log; nothing is skipped for it.
 */
package dev.agentpipe.core.broadcast;
