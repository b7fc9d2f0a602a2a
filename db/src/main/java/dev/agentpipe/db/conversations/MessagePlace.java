package dev.agentpipe.db.conversations;

/**
 * Where a message stands in its conversation: by sequence number, then time, then position in the log.
 *
 * @param sequence {@link Long#MAX_VALUE} for a message without a number, which comes after those with one
 * @param atMicros since 1970
 */
public record MessagePlace(long sequence, long atMicros, long position) {}
