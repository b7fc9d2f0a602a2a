/**
 * Backups of a whole database, and their way back.
 *
 * <p>Input: a database in use, or a file. Output: a file with a {@link dev.agentpipe.db.backup.BackupManifest} of what is in
 * it, or a database whose contents are that and whose log has a new epoch: all of it or, in one transaction, nothing. Runs on
 * the thread that calls, with one connection and, in the form of {@code pg_dump}, its processes; a full disk ends it with a
 * {@link dev.agentpipe.db.backup.BackupException}.
 */
package dev.agentpipe.db.backup;
