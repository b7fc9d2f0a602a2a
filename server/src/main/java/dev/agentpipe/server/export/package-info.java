/**
 * A conversation as a file to keep: JSON, JSON lines, CSV, Markdown.
 *
 * <p>Input: a conversation's id and a format. Output: a download in pieces. A piece is read and written out as text on a thread
 * for reads, then sent on the connection's I/O thread, then the next one is read: no thread waits for a client, and an export
 * holds a piece and the order of the next 100,000 messages, however long the conversation is. When as many exports are under
 * way as may be, the next one is refused; a client that takes nothing is cut off.
 */
package dev.agentpipe.server.export;
