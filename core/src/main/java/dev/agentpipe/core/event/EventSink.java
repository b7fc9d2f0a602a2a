package dev.agentpipe.core.event;

/** Takes the events of an upload, one after the other. */
public interface EventSink {

    /** @param place the line of an event file, from 1; the index of a session's message, from 0 */
    void accept(int place, Event event);
}
