package dev.agentpipe.server.logs;

import tools.jackson.core.JsonGenerator;

/**
 * The only argument of a log call whose line has members of its own, where lines are JSON. Where they are text, its own text
 * is the message. It never changes, so it can be written later, by another thread.
 */
public interface LogFields {

    /** What the line says where its members say the rest. */
    String message();

    /** Writes members of the line's object, the id of the request included. */
    void writeTo(JsonGenerator json);

    /** Whether it must not be dropped before a warning would be. */
    default boolean isKept() {
        return false;
    }
}
