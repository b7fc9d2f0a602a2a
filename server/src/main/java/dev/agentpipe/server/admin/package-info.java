/**
 * What administrators do to a server that runs.
 *
 * <p>Input: requests with a key of the scope {@code admin}. Output: a change, a line of the audit. Nothing here blocks.
 */
package dev.agentpipe.server.admin;
