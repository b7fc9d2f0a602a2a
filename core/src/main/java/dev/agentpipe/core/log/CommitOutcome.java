package dev.agentpipe.core.log;

import java.util.List;

/** What a caller of {@link GroupCommit} gets, exactly once for each call. */
public sealed interface CommitOutcome {

    /** Durable. One result for each event, in their order. */
    record Committed(List<AppendResult> results) implements CommitOutcome {}

    /** Nothing is acknowledged. */
    record Refused(Reason reason) implements CommitOutcome {}

    enum Reason {
        /** The queue holds as much as it may; try again in a moment. */
        QUEUE_FULL,
        /** The log's storage is away. */
        UNAVAILABLE,
        /** Not committed within the deadline; it may still be, so it is safe, and needed, to send it again. */
        TIMED_OUT,
        /** The server is stopping. */
        CLOSED,
        /** The log refuses these events for a reason that is not theirs to know: a defect, and logged as one. */
        FAILED
    }
}
