package dev.agentpipe.core.log;

/**
 * Where the log begins and ends.
 *
 * @param epoch names this log; another one after a restore from a backup, since its positions mean other events.
 *     Lower-case letters and digits.
 * @param floor events at positions up to this one are no longer retained; 0 if all are
 * @param head the last position that was given out; every event at or before it that was ever stored can be read
 */
public record LogState(String epoch, long floor, long head) {}
