package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript.Message;
import dev.agentpipe.db.export.Transcript.RetainedEvent;

/**
 * A transcript written out in a format, in UTF-8: its beginning, its messages in order, the events if it wants them, its end.
 * One thread at a time.
 */
interface TranscriptFile {

    void begin();

    void message(Message message);

    /** Whether {@link #event} is to be called, after the last message. */
    default boolean hasEvents() {
        return false;
    }

    default void event(RetainedEvent event) {}

    void end();

    /** Bytes written and not taken yet. */
    int size();

    /** What was written since the last call. */
    byte[] take();
}
