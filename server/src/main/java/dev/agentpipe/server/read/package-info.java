/**
 * Conversations and messages, read back: what the parameters of a URL ask for, and the JSON of what is stored.
 *
 * <p>Input: requests, on a thread of {@link dev.agentpipe.server.http.Reads}. Output: answers whose size is bounded by
 * {@code ReadLimits}; where that leaves something out, the answer says so and how to go on.
 */
package dev.agentpipe.server.read;
