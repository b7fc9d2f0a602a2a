package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.broadcast.Subscription.State;
import java.util.ArrayDeque;

/**
 * Finds what a single reader lacks: the rest of a frame, then a page of the log, then the window. Fills the lane's buffer
 * with it; writing is the lane's.
 *
 * <p>Confined to the lane's thread.
 */
final class CatchUp {

    private final Window window;
    private final Replays replays;
    private final Scratch scratch;

    CatchUp(Window window, Replays replays, Scratch scratch) {
        this.window = window;
        this.replays = replays;
        this.scratch = scratch;
    }

    /** What {@link #gather} says when the buffer's ledger knows where the reader will stand, or nothing can. */
    static final long UNKNOWN = -1;

    /**
     * Fills the buffer with what comes next. If the buffer stays empty and the answer is {@link #UNKNOWN}, what comes next is
     * no longer in the window.
     *
     * @param endSequence the first frame that the lane has not swept
     * @param endPosition the lane's position
     * @return where the reader stands once all of the buffer is written, or {@link #UNKNOWN}
     */
    long gather(Subscription subscription, long endSequence, long endPosition) {
        scratch.clear();
        if (subscription.rest != null) {
            scratch.put(subscription.rest, subscription.restFrom, subscription.position);
            return UNKNOWN;
        }
        if (subscription.ending != null) {
            return UNKNOWN;
        }
        return subscription.page != null
                ? gatherPage(subscription)
                : gatherWindow(subscription, endSequence, endPosition);
    }

    private long gatherPage(Subscription subscription) {
        ArrayDeque<Frame> page = subscription.page;
        while (!page.isEmpty()) {
            if (!put(page.peek(), subscription.form)) {
                return UNKNOWN;
            }
            page.remove();
        }
        dropPage(subscription);
        return subscription.pageThrough;
    }

    private long gatherWindow(Subscription subscription, long endSequence, long endPosition) {
        long sequence = window.sequenceAfter(subscription.position);
        if (sequence < 0) {
            return UNKNOWN;
        }
        for (; sequence < endSequence; sequence++) {
            Frame frame = window.get(sequence);
            if (frame == null) {
                return UNKNOWN;
            }
            boolean wanted = subscription.filter.matches(frame.type(), frame.conversationId());
            if (wanted && !put(frame, subscription.form)) {
                return UNKNOWN;
            }
        }
        return endPosition;
    }

    /** Whether the frame went into the buffer; one that is larger than the buffer goes in alone, cut, as a rest will be. */
    private boolean put(Frame frame, int form) {
        byte[] bytes = frame.bytes(form);
        if (!scratch.fits(bytes.length) && !scratch.isEmpty()) {
            return false;
        }
        scratch.putFrame(bytes, frame.position());
        return true;
    }

    /** Asks for the page of the log after the reader's position. */
    void requestPage(Lane lane, Subscription subscription, long upTo) {
        subscription.state = State.REPLAYING;
        replays.request(lane, subscription, upTo);
    }

    /** Takes a page that was asked for, unless the reader has no more use for it or cannot take it now. */
    boolean acceptPage(Subscription subscription, ArrayDeque<Frame> frames, long through) {
        boolean waiting = subscription.state == State.REPLAYING;
        if (waiting) {
            subscription.state = State.LAGGING;
        }
        if (!waiting || subscription.blocked) {
            replays.release();
            return false;
        }
        subscription.page = frames;
        subscription.pageThrough = through;
        return true;
    }

    /** Gives page and permit back. Whatever was not written of it will be read again. */
    void dropPage(Subscription subscription) {
        if (subscription.page != null) {
            subscription.page = null;
            replays.release();
        }
    }
}
