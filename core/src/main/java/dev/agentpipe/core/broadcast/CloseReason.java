package dev.agentpipe.core.broadcast;

/** Why a subscription ended. */
public enum CloseReason {
    /** The reader has gone away. */
    GONE,
    /** The reader took nothing for longer than the limit. */
    STALLED,
    /** It has lived as long as it may; the reader comes back at once. */
    AGED,
    /** The server is stopping. */
    SHUTDOWN,
    /** It was so far behind that the log does not retain what it wants any longer. */
    NOT_RETAINED,
    /** The reader may not read any longer. */
    FORBIDDEN,
    /** The log could not be read, or another fault on this side. */
    FAILED;

    /** Whether the reader is told with a farewell, which should arrive. */
    public boolean isAnnounced() {
        return this == AGED || this == SHUTDOWN || this == NOT_RETAINED || this == FORBIDDEN;
    }
}
