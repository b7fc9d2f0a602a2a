/**
 * A try of a running server from outside, with nothing but HTTP: what {@code agentpipe-server smoke} does.
 *
 * <p>Input: a URL and a key. Output: a line for each check, and whether all of them passed. Everything runs on the thread
 * that calls, but for the bytes of streams, which arrive on the HTTP client's threads and are handed over in a queue. Every
 * wait has a deadline.
 */
package dev.agentpipe.server.smoke;
