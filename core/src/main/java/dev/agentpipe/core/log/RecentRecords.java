package dev.agentpipe.core.log;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.EventLog.Page;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The newest part of a log, for the memory of a server that starts: the readers of the one before it come back all at once,
 * and each of them would read the log.
 *
 * @param after every record after this position is there, up to the head
 */
public record RecentRecords(long after, List<LogRecord> records) {

    /**
     * What to stop at.
     *
     * @param bytesMax sum of the payloads
     * @param durationMax no further piece is read after it
     */
    public record Limits(int recordsMax, int bytesMax, Duration durationMax) {
        public static final Limits DEFAULT = new Limits(16_384, 24 << 20, Duration.ofMillis(200));
    }

    private static final int PIECE_POSITIONS = 1_024;
    private static final int PIECE_BYTES = 4 << 20;

    public RecentRecords {
        records = List.copyOf(records);
    }

    /** Reads piece by piece from the head back to older ones, as far as the limits allow. Blocks. */
    public static RecentRecords read(EventLog eventLog, LogState state, Limits limits, LongSupplier nanoTime) {
        long start = nanoTime.getAsLong();
        Deque<List<LogRecord>> pieces = new ArrayDeque<>();
        long after = state.head();
        int positions = PIECE_POSITIONS;
        int recordsLeft = limits.recordsMax;
        int bytesLeft = limits.bytesMax;
        while (after > state.floor()
                && recordsLeft > 0
                && bytesLeft > 0
                && positions > 0
                && nanoTime.getAsLong() - start < limits.durationMax.toNanos()) {
            long from = Math.max(state.floor(), after - Math.min(positions, recordsLeft));
            Page page;
            try {
                page = eventLog.read(from, after, EventFilter.ALL, positions, Math.min(bytesLeft, PIECE_BYTES));
            } catch (LogUnavailableException e) {
                break; // who comes for them will read them
            }
            if (page.hasLost(from)) {
                break;
            }
            if (page.through() < after) {
                positions /= 4; // the piece is larger than one read may be
            } else {
                pieces.addFirst(page.records());
                after = from;
                recordsLeft -= page.records().size();
                bytesLeft -= page.records().stream()
                        .mapToInt(log -> log.payload().length)
                        .sum();
            }
        }
        return new RecentRecords(
                after, pieces.stream().flatMap(Collection::stream).toList());
    }

    /** Where a cursor stands that has not read them yet. */
    public LogState before(LogState state) {
        return new LogState(state.epoch(), state.floor(), after);
    }
}
