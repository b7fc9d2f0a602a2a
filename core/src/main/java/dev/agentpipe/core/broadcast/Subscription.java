package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.EventFilter;
import java.time.Duration;
import java.util.ArrayDeque;

/**
 * A reader's place in the log. Made anywhere, then attached to a {@link Lane} and owned by the lane's thread.
 *
 * <pre>
 *             attach
 *               │            short write, or matching frames to fetch
 *               ▼        ┌───────────────────────────────────────────┐
 *            LAGGING ────┤ has everything that its lane has swept    │
 *             │   ▲      └──────────────► LIVE ──────────────────────┘
 *   fell out of   │ page read
 *   the window    │
 *             ▼   │
 *           REPLAYING                     CLOSED from any of them, for good
 * </pre>
 *
 * <p>Its whole state is a position and the rest of at most one frame, whatever the reader's speed: all else can be read
 * again, from the window or from the log.
 */
public final class Subscription {

    enum State {
        /** Reads the window, or a page of the log, at its own pace. */
        LAGGING,
        /** Waits for a page of the log. */
        REPLAYING,
        /** Has what its lane has; its place is the lane's. */
        LIVE,
        CLOSED
    }

    final EventFilter filter;
    final int form;
    final Outlet outlet;
    /** After which it ends by itself; 0: never. */
    final long ageNanosMax;

    // All below is owned by the lane's thread.
    State state = State.LAGGING;
    /** Every matching record up to here was delivered, but for the rest below. While LIVE, the lane's is what counts. */
    long position;
    /** The unwritten end of a frame, from {@code restFrom} on; null if there is none. */
    byte[] rest;

    int restFrom;
    /** Frames read from the log and not yet written; null if none. While it is there, a permit of Replays is held. */
    ArrayDeque<Frame> page;

    long pageThrough;
    /** Why it is about to end, once its farewell is written; null while it goes on. */
    CloseReason ending;

    long attachedNanos;
    long lastWriteNanos;
    long blockedNanos;
    /** Its connection is full. */
    boolean blocked;
    /** A page could not be read for now; the next tick asks again. */
    boolean retry;
    /** LIVE, but a sweep has found something that it must fetch for itself: until it has, its position is its own. */
    boolean aside;
    /** Since when what a sweep has found for it is known; 0 if nothing waits, or nobody knows. */
    long asideSinceNanos;
    /** It waits for its turn. */
    boolean queued;
    /** How much was written to it in whole: events, heartbeats, a farewell. */
    long written;
    /** Heartbeats and farewells that were begun. */
    int notEvents;
    /** Its index in the roster of those who want everything; -1 if it is in none. */
    int slot = -1;

    /**
     * @param form see {@link Frame}
     * @param after the position after which it wants to read: at or below {@link Broadcaster#head()}
     * @param ageMax when it ends by itself; zero: never
     */
    public Subscription(EventFilter filter, int form, Outlet outlet, long after, Duration ageMax) {
        this.filter = filter;
        this.form = form;
        this.outlet = outlet;
        this.position = after;
        this.ageNanosMax = ageMax.toNanos();
    }

    /** How many events it was sent; one less if it ended in the middle of a heartbeat. For the lane's thread. */
    public long events() {
        return Math.max(0, written - notEvents);
    }
}
