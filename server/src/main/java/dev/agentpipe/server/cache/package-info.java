/**
 * Answers that are kept: in memory, and in a cache that nodes share where there is one.
 *
 * <p>An answer is kept with the position that the log had before its data were read, and given out only while {@link
 * dev.agentpipe.server.cache.Freshness} says that nothing has happened since that could change it: to the conversation that
 * it is of, or to anything at all. So nobody is told less than what this node has acknowledged or seen, and nothing must
 * ever be deleted from a cache to make that true. Owned by no thread. When it is full, the answers least used go.
 */
package dev.agentpipe.server.cache;
