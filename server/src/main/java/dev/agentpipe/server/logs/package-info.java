/**
 * How lines leave the process, where it is run from the command line; an embedder's logging is its own affair.
 *
 * <p>Input: log calls from any thread. Output: JSON or text on one file descriptor, written by the thread {@code log}, and
 * errors to Sentry, if it is named. When the queue is full lines below warn are dropped, counted and told of.
 */
package dev.agentpipe.server.logs;
