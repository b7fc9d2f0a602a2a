package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import java.util.List;

/**
 * The port to the durable, totally ordered log. An implementation promises:
 *
 * <ul>
 *   <li>An append is all or nothing, and durable when it returns.
 *   <li>Positions become visible in their order: whoever has seen position n will never see a position at or below n
 *       appear later, whichever process appends.
 *   <li>Of events with the same identity, the first one is stored, ever.
 * </ul>
 *
 * <p>All methods block and are thread-safe. They throw {@link LogUnavailableException} when the storage is away; any
 * other exception means that these events cannot be stored.
 */
public interface EventLog {

    LogState state();

    /**
     * Stores the new ones of these events, and moves what is derived from them, in one transaction. Without any event it
     * changes nothing, and fails like any other append if the log cannot be written.
     */
    Appended append(List<Event> events);

    /**
     * Does what an append of this event does, and takes it back in the same transaction: nobody ever sees it, and no
     * position is used up. Without such a way it appends nothing.
     */
    default void rehearse(Event event) {
        append(List.of());
    }

    /**
     * The records after a position that match, in order.
     *
     * @param upTo last position to look at; at most the head, since what comes later would not be in the page
     * @param recordsMax at most so many records
     * @param bytesMax stops after the record that reaches this sum of payload bytes
     */
    Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax);

    /** The position after which exactly the last {@code count} matching records lie (all of them, if there are fewer). */
    long beforeLast(int count, EventFilter filter);

    /**
     * A piece of the log.
     *
     * @param through every matching record after the requested position, or after the floor if that is greater, and up to
     *     this one is in the page; so a page may be empty although records follow
     * @param floor {@link LogState#floor()} at the moment of the read
     */
    record Page(List<LogRecord> records, long through, long floor) {
        public Page {
            records = List.copyOf(records);
        }

        /** Whether there may have been records after the requested position that are no longer retained. */
        public boolean hasLost(long after) {
            return after < floor;
        }
    }
}
