package dev.agentpipe.core;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.CommitOutcome;
import java.util.List;

/**
 * What the path of an event tells of itself; by itself it tells nothing. Called where it happens, on whatever thread that
 * is, often, and for events in groups: implementations are thread-safe, block never, and take no time to speak of.
 */
public interface Telemetry {

    Telemetry NONE = new Telemetry() {};

    /**
     * A group was committed. On the log-writer.
     *
     * @param nanos what the transaction took
     */
    default void committed(List<Event> events, Appended appended, long nanos) {}

    /** Somebody's events are durable, so long after they came. */
    default void acknowledged(long waitedNanos) {}

    /** Somebody's events were not committed. */
    default void refused(int events, CommitOutcome.Reason reason) {}

    /**
     * An event was refused before it came to be committed.
     *
     * @param code one of a fixed number of words
     */
    default void rejected(String code) {}

    /** So long after their commit, all live readers of a lane have some events. */
    default void broadcast(long delayNanos) {}

    /** A page of the log was read for a reader that is far behind. */
    default void pageRead(int records, long nanos) {}

    /** A reader has left, or was sent away. */
    default void ended(long openNanos) {}
}
