/**
 * Requests and answers: the table of URLs, who may call them, and the only map from outcomes to statuses.
 *
 * <p>Input: requests, on the I/O thread that owns their connection. Output: events to the log, and answers, also from that
 * thread; no thread waits for a commit. What is full or away answers 503 with {@code Retry-After}; a step that fails answers
 * 500, on whatever thread it does.
 */
package dev.agentpipe.server.http;
