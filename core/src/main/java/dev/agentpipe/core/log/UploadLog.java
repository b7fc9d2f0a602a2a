package dev.agentpipe.core.log;

import dev.agentpipe.core.event.EventSink;
import dev.agentpipe.core.event.Session;
import java.io.IOException;

/**
 * The port to storing what comes at once and may be large: all of it in one transaction or nothing, and each event once,
 * whether it came before by itself or with another upload. The log's promises hold as for {@link EventLog}.
 *
 * <p>Methods block, throw {@link LogUnavailableException} when the storage is away, and pass on what the source throws. They
 * are thread-safe; as many uploads as {@link #atATime} are stored at once.
 */
public interface UploadLog {

    /** Where an upload's events come from. */
    interface Source {
        void read(EventSink sink) throws IOException;
    }

    /** Uploads that are stored at the same time. */
    int atATime();

    /** Appends the new events of a file, in their order. */
    UploadOutcome storeEvents(Source events) throws IOException;

    /**
     * Stores a session, whose parts become no events; if anything of it is new, one event that tells so is appended. A
     * message without an id of its own is not stored if its conversation has one from the same time and agent type with
     * the same content.
     */
    UploadOutcome storeSession(Session session, Source messages) throws IOException;
}
