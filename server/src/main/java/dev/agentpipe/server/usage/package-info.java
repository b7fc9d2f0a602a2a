/**
 * What agents have used, and what the server is doing.
 *
 * <p>Input: questions. Output: sums that {@link dev.agentpipe.db.usage.Usage} keeps at a distance from the log, and what the streams
 * count. Questions are answered on the threads for reads; the sums are brought forward by them, and by {@code
 * housekeeping-slow}. When the sums are too far behind, a question is refused, and the next one finds them nearer.
 */
package dev.agentpipe.server.usage;
