/**
 * Server-Sent Events: how a stream begins, what its bytes look like, and where they go.
 *
 * <p>Input: frames of the broadcast. Output: bytes on sockets. Each stream belongs to the I/O thread of its connection,
 * whose {@link dev.agentpipe.core.broadcast.Lane} carries it along the log. Streams beyond the limit are told to come
 * back; a reader that stops reading is disconnected after a while and holds at most the rest of one frame until then.
 */
package dev.agentpipe.server.stream;
