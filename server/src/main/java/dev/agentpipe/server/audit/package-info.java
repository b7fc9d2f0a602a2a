/**
 * Who did what: members of a line of JSON, or an object of JSON as text, to the logger {@code audit}.
 *
 * <p>Input: calls from any thread. Output: log lines without secrets and without what anybody said to an agent. A call costs a
 * line and blocks no longer than writing it does; what could come often is counted first, by those who call.
 */
package dev.agentpipe.server.audit;
