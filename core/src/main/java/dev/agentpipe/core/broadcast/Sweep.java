package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.broadcast.Subscription.State;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The live readers of a lane, and the one cursor that they share. It moves in steps: a step is as many new frames as fit
 * the buffer, which is then written to one reader after the other: no queue for a reader, no task, no allocation, no lock.
 * A reader with a filter is found by the conversation of a frame, so it costs nothing while nothing matches; when
 * something does, it is told to fetch its frames for itself.
 *
 * <p>A step may be interrupted anywhere between two readers and go on later ({@link #run}). Until it has ended some readers
 * have its frames and some have not: each roster is parted in two, and a reader's place follows from the part that it is
 * in ({@link #settle}).
 *
 * <p>Confined to the lane's thread.
 */
final class Sweep {

    /** The lane's side. */
    interface Readers {
        /** Writes the buffer; whether all of it was taken. If not, the reader is no longer live. */
        boolean write(Subscription subscription, Scratch scratch);

        /** The reader, whose position has been set, must fetch what comes for itself. */
        void fetch(Subscription subscription);
    }

    private final Window window;
    private final Audience live;
    private final Scratch scratch;
    private final Readers readers;
    private final Telemetry telemetry;
    private final LongSupplier nanoTime;

    // What every live reader has: all frames below this sequence, which are all records up to this position.
    private long sequence;
    private long position;

    // What those have to whom the current step was written already. Equal to the above when there is no step.
    private long endSequence;
    private long endPosition;

    /** Frames of the current step; kept, because the window may give them up before the last reader has them. */
    private final List<Frame> step = new ArrayList<>();

    /** Since when the oldest frame of the step is known; 0 if nobody knows. */
    private long stepSinceNanos;

    /** Whether anybody was written the step. */
    private boolean isWritten;

    /** The form that is being written. */
    private int form;

    Sweep(Window window, int forms, int scratchBytes, Readers readers, Telemetry telemetry, LongSupplier nanoTime) {
        this.telemetry = telemetry;
        this.window = window;
        this.live = new Audience(forms);
        this.scratch = new Scratch(scratchBytes);
        this.readers = readers;
        this.nanoTime = nanoTime;
        this.endPosition = window.head();
        this.endSequence = window.sequenceAfter(endPosition);
        this.position = endPosition;
        this.sequence = endSequence;
    }

    /** The first sequence that no live reader has. */
    long sequence() {
        return endSequence;
    }

    /** Where a reader stands that has all that the sweep has begun to write: the place to join at. */
    long position() {
        return endPosition;
    }

    /** Frames that it has written, for each reader of each. */
    long delivered() {
        return scratch.delivered();
    }

    /** Bytes that it has written. */
    long written() {
        return scratch.written();
    }

    boolean hasNews() {
        return !step.isEmpty() || window.next() > sequence || window.head() > position;
    }

    /** A reader that stands at {@link #position()} becomes live. */
    void join(Subscription subscription) {
        subscription.aside = false;
        if (subscription.state != State.LIVE) {
            subscription.state = State.LIVE;
            live.add(subscription);
        }
    }

    /** A reader is no longer live; its position stays as it is. */
    void leave(Subscription subscription) {
        if (subscription.state == State.LIVE) {
            subscription.state = State.LAGGING;
            subscription.aside = false;
            live.remove(subscription);
        }
    }

    /** Gives a live reader its position, which is the sweep's; false if it still lacks the current step. */
    boolean settle(Subscription subscription) {
        if (subscription.aside) {
            return true; // it has one of its own
        }
        boolean lacks = !step.isEmpty() && live.isUnswept(subscription);
        subscription.position = lacks ? position : endPosition;
        return !lacks;
    }

    /** Writes what is new until all readers have it, or until that time has come. */
    void run(long deadlineNanos) {
        while (!step.isEmpty() || begin()) {
            if (!go(deadlineNanos)) {
                return;
            }
            if (isWritten && stepSinceNanos != 0) {
                telemetry.broadcast(nanoTime.getAsLong() - stepSinceNanos);
            }
            step.clear();
            sequence = endSequence;
            position = endPosition;
        }
    }

    /** Gathers the next step, and sends those away who cannot take part in it; false if nothing is new. */
    private boolean begin() {
        long head = window.head(); // read before next(): all frames up to this head are below that sequence
        long next = window.next();
        while (next > sequence) {
            Frame first = window.get(sequence);
            stepSinceNanos = first == null ? 0 : window.sinceNanos(sequence);
            isWritten = false;
            if (first == null) {
                overtaken();
            } else if (!gather(first, next)) {
                pass(first);
            } else {
                step.forEach(frame -> live.forEachMatching(frame, this::sendAside));
                live.beginStep();
                form = -1;
                return true;
            }
            next = window.next();
        }
        if (window.floor() > position) {
            overtaken(); // without a frame
        }
        endPosition = Math.max(endPosition, head);
        position = endPosition;
        return false;
    }

    /** Takes as many frames as fit, in every form that has readers; false if not even one does. */
    private boolean gather(Frame first, long next) {
        int left = scratch.capacity();
        Frame frame = first;
        while (frame != null && step.size() < Scratch.PARTS_MAX) {
            int size = live.largest(frame);
            if (size > left) {
                break;
            }
            left -= size;
            step.add(frame);
            endPosition = frame.position();
            endSequence++;
            frame = endSequence < next ? window.get(endSequence) : null;
        }
        return !step.isEmpty();
    }

    /** A frame that is larger than the buffer: each reader fetches it for itself. */
    private void pass(Frame frame) {
        live.forEachUnfiltered(this::sendAside);
        live.forEachMatching(frame, this::sendAside);
        moveTo(sequence + 1, frame.position());
    }

    /** So long in coming that the window has moved on, or it has a gap here: every reader looks for himself. */
    private void overtaken() {
        live.forEachUnfiltered(this::sendAside);
        live.forEachFiltered(this::sendAside);
        while (true) {
            long head = window.head();
            long next = window.next();
            Frame newest = window.get(next - 1);
            if (newest != null) {
                moveTo(next, newest.position()); // of this very frame, not of what the window holds by now
                return;
            }
            if (window.isEmpty() && window.next() == next && window.head() == head) {
                moveTo(next, head);
                return;
            }
        }
    }

    private void moveTo(long newSequence, long newPosition) {
        sequence = newSequence;
        position = newPosition;
        endSequence = newSequence;
        endPosition = newPosition;
    }

    /** Only once until it has fetched what there is: a filtered one stays live meanwhile, so that it is not lost to view. */
    private void sendAside(Subscription subscription) {
        if (subscription.aside) {
            return;
        }
        subscription.position = position;
        subscription.asideSinceNanos = stepSinceNanos;
        if (subscription.filter.isAll()) {
            leave(subscription);
        } else {
            subscription.aside = true;
        }
        readers.fetch(subscription);
    }

    /** Writes the step to those who lack it; false if the time was over before. */
    private boolean go(long deadlineNanos) {
        for (Roster roster = roster(); roster != null; roster = nextRoster()) {
            while (roster.hasUnswept()) {
                Subscription subscription = roster.unswept();
                subscription.position = position;
                isWritten = true;
                if (readers.write(subscription, scratch)) {
                    roster.sweptOne();
                }
                if (nanoTime.getAsLong() - deadlineNanos >= 0) {
                    return false;
                }
            }
        }
        return true;
    }

    private Roster roster() {
        return form < 0 ? nextRoster() : live.unfiltered(form);
    }

    private Roster nextRoster() {
        while (++form < live.forms()) {
            Roster roster = live.unfiltered(form);
            if (roster.hasUnswept()) {
                scratch.clear();
                for (Frame frame : step) {
                    scratch.putFrame(frame.bytes(form), frame.position());
                }
                return roster;
            }
        }
        return null;
    }
}
