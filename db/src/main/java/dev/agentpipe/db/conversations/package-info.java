/**
 * Conversations and messages for those who read them: lists, one in all its parts, pages of its messages; and their deletion.
 *
 * <p>Input: filters, orders, places to go on from. Output: records, as they were at one moment; how many, and how large, is
 * bounded by who asks, and what a list shows of a text by {@link dev.agentpipe.db.conversations.Conversations}. Called by any
 * thread that may block. A statement that takes too long is given up by its connection's timeout.
 */
package dev.agentpipe.db.conversations;
