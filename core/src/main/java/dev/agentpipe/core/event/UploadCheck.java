package dev.agentpipe.core.event;

import java.util.List;

/** Whether an upload is valid as a whole. */
public sealed interface UploadCheck {

    /** An event file, all of whose lines are events. */
    record ValidEvents() implements UploadCheck {}

    /** A session, all of whose messages are valid, too. */
    record ValidSession(Session session) implements UploadCheck {}

    /**
     * Nothing of it may be stored.
     *
     * @param code what is wrong, if all that is wrong is of one kind: {@code invalid_json}, {@code too_deep}, {@code
     *     duplicate_key}, {@code invalid_event}, {@code unknown_event_type}, {@code event_too_large}; else {@code
     *     invalid_upload}
     * @param more violations that are not listed
     */
    record Invalid(String code, List<Place> violations, int more) implements UploadCheck {
        public Invalid {
            violations = List.copyOf(violations);
        }
    }

    /** @param detail a sentence that names the limit */
    record TooLarge(String detail) implements UploadCheck {}

    /**
     * A violation in an upload.
     *
     * @param line of an event file, from 1; null in a session
     * @param pointer JSON Pointer into the line, or into the session
     */
    record Place(Integer line, String pointer, String detail) {}
}
