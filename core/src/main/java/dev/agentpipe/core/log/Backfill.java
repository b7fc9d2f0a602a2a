package dev.agentpipe.core.log;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.EventLog.Page;

/**
 * Gives the listener what lies before its beginning, from there back to older records, a piece at a time: a server that
 * starts has nothing in memory, and the readers of the one before it come back all at once.
 *
 * <p>Confined to the thread of the {@link LogTail}.
 */
final class Backfill {

    private static final int RECORDS_MAX = 16_384;
    private static final int BYTES_MAX = 24 << 20;
    private static final int PIECE_POSITIONS = 512;
    private static final int PIECE_BYTES = 1 << 20;

    private final EventLog eventLog;
    private final LogTail.Listener listener;
    private long end;
    private int positions = PIECE_POSITIONS;
    private int recordsLeft = RECORDS_MAX;
    private int bytesLeft = BYTES_MAX;

    /** @param end the position with which the first piece ends */
    Backfill(EventLog eventLog, LogTail.Listener listener, long end) {
        this.eventLog = eventLog;
        this.listener = listener;
        this.end = end;
    }

    /** Reads a piece and hands it on; false if there is nothing more to do. */
    boolean step() {
        long after = Math.max(0, end - Math.min(positions, recordsLeft));
        int bytesMax = Math.min(PIECE_BYTES, bytesLeft);
        if (after >= end || bytesMax <= 0) {
            return false;
        }
        Page page = eventLog.read(after, end, EventFilter.ALL, positions, bytesMax);
        if (page.through() < end) {
            positions /= 4; // larger than one read may be
            return positions > 0;
        }
        long from = Math.max(after, page.floor());
        if (from >= end || !listener.preceded(page.records(), from, end)) {
            return false;
        }
        end = from;
        recordsLeft -= page.records().size();
        bytesLeft -=
                page.records().stream().mapToInt(log -> log.payload().length).sum();
        return true;
    }
}
