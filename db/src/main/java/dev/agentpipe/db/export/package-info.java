/**
 * A conversation from its beginning to its end, as it was at one moment, however long it is.
 *
 * <p>Input: its id. Output: its head, its order in pieces of 100,000 messages, its messages by their positions in pieces as
 * large as the caller can use, and the events that are retained. Called by any thread that may block; between two pieces
 * nothing is held open. If the conversation goes away meanwhile, the next piece says so.
 */
package dev.agentpipe.db.export;
