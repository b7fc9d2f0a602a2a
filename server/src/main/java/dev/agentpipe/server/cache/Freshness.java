package dev.agentpipe.server.cache;

import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import dev.agentpipe.core.log.LogTail;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Knows when each conversation was last touched, in a fixed space: conversations share slots by their hash, so one may be
 * thought to be touched when another one was, and never the other way round. Stands between the log's tail and who else
 * listens to it.
 *
 * <p>Written by the log's tail, read by any thread. A slot is written before the position up to which slots are complete.
 */
public final class Freshness implements LogTail.Listener {

    /** 128 KiB; with 10,000 conversations active at a time every other one is thought to be touched needlessly. */
    private static final int SLOTS = 1 << 14;

    private final LogTail.Listener next;
    private final AtomicLongArray touched = new AtomicLongArray(SLOTS);

    /** What happened up to this position is unknown. */
    private volatile long unknownUpTo;

    private volatile long through;

    /** Where the last conversation was deleted that it has heard of; what is not known may have been one. */
    private volatile long deletedAt;

    /**
     * @param position from which the tail follows
     * @param next is told everything after this
     */
    public Freshness(long position, LogTail.Listener next) {
        this.next = next;
        this.unknownUpTo = position;
        this.through = position;
    }

    @Override
    public void advanced(List<LogRecord> records, long through) {
        advanced(records, through, System.nanoTime());
    }

    @Override
    public void advanced(List<LogRecord> records, long through, long sinceNanos) {
        for (LogRecord one : records) {
            if (one.conversationId() != null) {
                touched.lazySet(slot(one.conversationId()), one.position());
            }
            if (one.type() == EventType.CONVERSATION_DELETED) {
                deletedAt = one.position();
            }
        }
        this.through = through;
        next.advanced(records, through, sinceNanos);
    }

    @Override
    public void lost(long through) {
        unknownUpTo = through;
        deletedAt = through;
        next.lost(through);
    }

    @Override
    public boolean preceded(List<LogRecord> records, long after, long upTo) {
        return next.preceded(records, after, upTo);
    }

    /**
     * Whether what was read of a conversation at a position is still true at a later one.
     *
     * @param since position of the log before it was read
     * @param now position up to which it must be true
     */
    boolean isUntouched(String conversationId, long since, long now) {
        return since >= now || through >= now && touched.get(slot(conversationId)) <= since && since >= unknownUpTo;
    }

    /** What it has heard of, up to this position. */
    public long through() {
        return through;
    }

    long deletedAt() {
        return deletedAt;
    }

    private static int slot(String conversationId) {
        int hash = conversationId.hashCode();
        return (hash ^ hash >>> 16) & SLOTS - 1;
    }
}
