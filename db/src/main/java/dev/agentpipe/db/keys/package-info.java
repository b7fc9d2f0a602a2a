/**
 * Managed keys, and the sessions and tickets that are made from them: digests only, never a secret.
 *
 * <p>Input: what commands create, rotate and revoke, and what browsers log in with. Output: all keys at once, with a version
 * that every change moves, for servers to hold in memory. Called by any thread that may block. Keys, and tokens of a key,
 * have a greatest number; past it none is made.
 */
package dev.agentpipe.db.keys;
