package dev.agentpipe.core.event;

/**
 * How large an upload may be.
 *
 * @param bytesMax bytes of the body, as it comes and unpacked
 * @param messagesMax messages
 * @param eventsMax lines of an event file that are events: log entries come several a message. Under the lock of the
 *     appends 10,000 take PostgreSQL 0.23 s of processor time; live events wait for 1.5 s at most
 * @param rareBytesMax bytes of the events of a file that are neither messages nor touch the log alone; their details are
 *     held in memory until all is stored
 * @param violationsMax violations listed; those after it are counted
 */
public record UploadLimits(int bytesMax, int messagesMax, int eventsMax, int rareBytesMax, int violationsMax) {

    /** 64 MiB and 10,000 messages (the contract's figures). */
    public static final UploadLimits DEFAULT = new UploadLimits(64 << 20, 10_000, 25_000, 4 << 20, 100);

    public UploadLimits {
        int smallest = Math.min(Math.min(bytesMax, messagesMax), Math.min(eventsMax, rareBytesMax));
        if (Math.min(smallest, violationsMax) < 1) {
            throw new IllegalArgumentException("every limit must be at least 1");
        }
    }
}
