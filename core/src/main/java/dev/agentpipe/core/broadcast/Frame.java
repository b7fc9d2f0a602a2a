package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.EventType;

/**
 * A record, encoded for the wire once for all its readers. Immutable in what it shows.
 *
 * <p>A wire may need several forms of it (with and without an event name, chunked and not); a subscription names the form
 * that it reads by a small number, from 0, that only the transport understands.
 */
public interface Frame {

    long position();

    EventType type();

    /** Null for an event outside of any conversation. */
    String conversationId();

    /** The bytes of one form; not to be changed. */
    byte[] bytes(int form);
}
