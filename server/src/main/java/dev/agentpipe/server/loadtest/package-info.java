/**
 * Load on a running server from outside, with nothing but HTTP, and a judgement of what it carries: what
 * {@code agentpipe-server bench} does.
 *
 * <p>Input: a URL, a key, a {@link dev.agentpipe.server.loadtest.Plan}. Output: a
 * {@link dev.agentpipe.server.loadtest.Report}. {@code Ramp}, {@code Search} and {@code Goal} decide, without network or
 * clock; {@code Sender}, {@code Viewers} and {@code Ledger} load and count; {@code Bench} puts them together.
 *
 * <p>The thread that calls sends events at the times they are due; answers and streams come on the HTTP client's threads.
 * Bounded: requests under way, streams, events a second, and the time; what is due and finds no free connection waits, and
 * its wait counts.
 */
package dev.agentpipe.server.loadtest;
