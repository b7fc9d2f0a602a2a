package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.log.LogRecord;

/** How things look on the transport's wire. Thread-safe. */
public interface Wire {

    /** How many forms there are, see {@link Frame}. */
    int forms();

    Frame frame(LogRecord record);

    /**
     * Says that the connection lives.
     *
     * @param position everything that matches up to it was delivered; -1 to say nothing of it
     */
    byte[] heartbeat(int form, long position);

    /** The last bytes of a connection that this side ends. */
    byte[] farewell(int form, CloseReason reason);
}
