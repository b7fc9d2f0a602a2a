/**
 * Sums of messages, tokens, cost and duration over any range of time.
 *
 * <p>Input: the messages behind the position at which the sums stand, taken in by whoever has the time or asks, one at a time.
 * Output: totals, series and the largest parts of both, bounded in number. Called by any thread that may block. When the
 * log is too far ahead, who asks brings the sums forward first, for some seconds at most, and is refused then.
 */
package dev.agentpipe.db.usage;
