/**
 * Keys that come and go while the server runs, and what is made from them: sessions of browsers and tickets for streams.
 *
 * <p>Input: the tables of keys and tokens, looked at each second by {@code housekeeping-slow}. Output: {@link
 * dev.agentpipe.server.http.Callers}, answered from memory, and word of those who are not welcome any more. Only a session or a
 * ticket that this node has not seen takes a look into the database, on a thread of the reads, and only if some server has
 * sealed it. All sessions are bounded by key; without the database what was known last goes on to hold, but for what expires.
 */
package dev.agentpipe.server.keys;
