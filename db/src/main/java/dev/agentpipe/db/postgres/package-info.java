/**
 * How PostgreSQL is reached, what its failures mean, and the expressions that several rooms need. It knows none of them.
 *
 * <p>Input: a URL, and how many connections at most. Output: pools, and exceptions that say whether asking again helps.
 * Everything here may be called by any thread. A full pool is waited for, for a second; every statement has an end.
 */
package dev.agentpipe.db.postgres;
