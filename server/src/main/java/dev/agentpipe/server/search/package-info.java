/**
 * The search over HTTP. Input: questions, on the threads for reads. Output: conversations with the places where they match.
 * Beside it, {@link dev.agentpipe.server.search.SearchIndexer} follows the log, on a thread of its own and only as fast as
 * the rest of the server can spare; what it has not reached is looked at by each search itself, up to a limit.
 */
package dev.agentpipe.server.search;
