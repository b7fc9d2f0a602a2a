package dev.agentpipe.core.event;

import java.util.List;

/** What {@link EventReader} made of a body. */
public sealed interface ReadResult {

    /**
     * The body could be taken apart into events, in the order of the body.
     *
     * @param batch whether the body was an array or NDJSON, so that its answer is one for many, even with one in it
     */
    record Events(boolean batch, List<Item> items) implements ReadResult {
        public Events {
            items = List.copyOf(items);
        }
    }

    /**
     * The body could not be taken apart; nothing of it may be stored.
     *
     * @param code {@code invalid_json}, {@code too_deep}, {@code duplicate_key}, {@code invalid_event}, {@code
     *     event_too_large}, {@code batch_too_large}
     * @param detail a sentence that names the place
     * @param pointer JSON Pointer into the body, where one is known, else ""
     */
    record Malformed(String code, String detail, String pointer) implements ReadResult {}

    /** One event of a body, counted from 0. */
    sealed interface Item {

        int index();

        record Accepted(int index, Event event) implements Item {}

        /**
         * Not an event.
         *
         * @param code {@code invalid_event}, {@code unknown_event_type}, {@code event_too_large}, and in NDJSON, where
         *     one bad line does not spoil the others, those of {@link Malformed}
         */
        record Rejected(int index, String code, List<Violation> violations) implements Item {
            public Rejected {
                violations = List.copyOf(violations);
            }
        }
    }
}
