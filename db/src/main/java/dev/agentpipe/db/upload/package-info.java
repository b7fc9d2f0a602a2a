/**
 * Uploads: many events, or a whole session, stored in one transaction, all or nothing.
 *
 * <p>Input: events that are read from a file on the thread that calls, bounded before they come here. Output: what was new,
 * and the log's head; or the places that contradict what is stored. There are as many at a time as the pool has
 * connections for them; who calls sees to it that no more come.
 */
package dev.agentpipe.db.upload;
