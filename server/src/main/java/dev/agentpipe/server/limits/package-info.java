/**
 * How much one caller may do: quotas of events, uploads and reads, and streams open at once.
 *
 * <p>Input: who asks for what, on I/O threads. Output: go on, go on in a moment, or 429. Nothing blocks: Redis is asked by a
 * thread of its own, and when that has too much to ask, or no answer, this node decides alone. Tallies are bounded; those
 * least used are forgotten first.
 */
package dev.agentpipe.server.limits;
