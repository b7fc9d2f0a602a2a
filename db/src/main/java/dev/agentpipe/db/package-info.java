/**
 * The log and its projections in PostgreSQL. jOOQ's types never leave this package.
 *
 * <p>Input: batches of events, from one thread at a time and server. Output: their positions, the log's records, and what is
 * derived from them. {@link dev.agentpipe.db.Database} opens it all. One connection is kept for appending, the others are
 * for reading; who finds none free for a second gets a {@link dev.agentpipe.core.log.LogUnavailableException}. It has no
 * threads but the pool's, and {@code postgres-watch} of {@link dev.agentpipe.db.LocalPostgres}.
 *
 * <p>Beside it stands {@link dev.agentpipe.db.WebDatabase}, which reads another program's database, for moving in.
 *
 * <p>The schema is in {@code db/migration}; {@code dev.agentpipe.db.generated} is made from it by {@code GeneratedCodeTest}.
 */
package dev.agentpipe.db;
