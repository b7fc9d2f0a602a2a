/**
 * The folder of backups: names, checksums, what is kept. Input: a file that is complete; output: a backup that others can
 * trust by its name. One process at a time, by a lock of the operating system; a full disk ends a backup, and nothing else.
 */
package dev.agentpipe.server.backup;
