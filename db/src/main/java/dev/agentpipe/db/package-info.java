/**
 * The log and everything that is made of it, in PostgreSQL. {@link dev.agentpipe.db.Database} migrates the schema, opens the
 * connections, and hands out the rooms; jOOQ's types leave none of them.
 *
 * <p>Input: {@link dev.agentpipe.db.postgres.DatabaseSettings}. Output, in the order of the path: the {@linkplain
 * dev.agentpipe.db.log log} and what an append derives from it; {@linkplain dev.agentpipe.db.upload uploads}, which fill it
 * all at once; then those who read: {@linkplain dev.agentpipe.db.conversations conversations}, {@linkplain
 * dev.agentpipe.db.export exports}, {@linkplain dev.agentpipe.db.search search}, {@linkplain dev.agentpipe.db.usage sums};
 * and the {@linkplain dev.agentpipe.db.keys keys}. {@linkplain dev.agentpipe.db.postgres How PostgreSQL is reached} is known
 * to all of them, and none of them knows this package. Apart stand the {@linkplain dev.agentpipe.db.local embedded
 * PostgreSQL} and the {@linkplain dev.agentpipe.db.web database of another program}.
 *
 * <p>Called by any thread; it has none but the pools'. There are three pools: one connection appends, some store uploads, the
 * others read, so that none of them takes another's. Who finds none free for a second gets a {@link
 * dev.agentpipe.core.log.LogUnavailableException}.
 *
 * <p>The schema is in {@code db/migration}; {@code dev.agentpipe.db.generated} is made from it by {@code GeneratedCodeTest}.
 */
package dev.agentpipe.db;
