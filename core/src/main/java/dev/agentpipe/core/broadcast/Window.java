package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.event.EventType;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * The newest part of the log in memory, as frames: a ring, written by one thread and read by many without a lock.
 *
 * <p>Frames are numbered by a sequence of this window's own, without holes; {@code [oldest, next)} are held. The writer
 * moves {@code oldest} before it overwrites a slot, and a reader looks at {@code oldest} after it has read one: so a
 * frame that it got while the slot was being reused is recognised as gone.
 *
 * <p>Two positions of the log frame what the window knows: every record after {@code floor} and up to {@code head} is in
 * it. They are what a reader that comes from elsewhere compares its own position with.
 */
final class Window {

    private final AtomicReferenceArray<Frame> slots;
    /** When each frame's record was known to be committed; written before its slot. 0 for those older than the window. */
    private final long[] sinceNanos;

    private final int mask;
    private final long bytesMax;

    // Owned by the writer.
    private long bytes;

    // Written by the writer, in the order: oldest and floor before a slot is reused; slot; next; head. Older frames are
    // added in the order: slot; oldest; floor.
    private volatile long oldest;
    private volatile long next;
    private volatile long floor;
    private volatile long head;

    /** What {@link #bytes} was after the last change: for those who only look. */
    private volatile long heldBytes;

    /**
     * @param framesMax a power of two
     * @param bytesMax sum of the frames' first forms; the window gives up old ones to stay below it
     * @param head the position at which the window begins, empty
     */
    Window(int framesMax, long bytesMax, long head) {
        if (Integer.bitCount(framesMax) != 1) {
            throw new IllegalArgumentException("framesMax must be a power of two: " + framesMax);
        }
        this.slots = new AtomicReferenceArray<>(framesMax);
        this.sinceNanos = new long[framesMax];
        this.mask = framesMax - 1;
        this.bytesMax = bytesMax;
        this.oldest = framesMax; // so that there is room for older ones
        this.next = framesMax;
        this.head = head;
        this.floor = head;
    }

    /**
     * Adds frames in front of the oldest, if all of them find room and nothing has been given up. By the thread that adds.
     *
     * @param after what the floor becomes
     * @param upTo what the floor is, if the frames are those that precede it
     */
    boolean addOlder(List<? extends Frame> frames, long after, long upTo) {
        long size = frames.stream().mapToLong(frame -> frame.bytes(0).length).sum();
        boolean room = next - oldest + frames.size() <= slots.length() && bytes + size <= bytesMax;
        if (floor != upTo || !room) {
            return false;
        }
        bytes += size;
        for (int i = frames.size() - 1; i >= 0; i--) {
            sinceNanos[slot(oldest - 1)] = 0;
            slots.set(slot(oldest - 1), frames.get(i));
            oldest = oldest - 1;
        }
        floor = after;
        heldBytes = bytes;
        return true;
    }

    /** Adds frames that follow the head, and moves the head to {@code through}. One thread at a time. */
    void add(List<? extends Frame> frames, long through) {
        add(frames, through, 0);
    }

    /** @param committedNanos when this node knew that they are committed, by {@link System#nanoTime}; 0 if nobody asks */
    void add(List<? extends Frame> frames, long through, long committedNanos) {
        for (Frame frame : frames) {
            int size = frame.bytes(0).length;
            while (next - oldest == slots.length() || (bytes + size > bytesMax && oldest < next)) {
                evict();
            }
            bytes += size;
            sinceNanos[slot(next)] = committedNanos;
            slots.set(slot(next), frame);
            next = next + 1;
        }
        heldBytes = bytes;
        head = through;
    }

    /**
     * Empties the frames of a conversation before a position: they are passed over in their places, and nobody can read them
     * here any more. By the thread that adds.
     */
    void forget(String conversationId, long before) {
        for (long sequence = oldest; sequence < next; sequence++) {
            Frame frame = slots.get(slot(sequence));
            if (conversationId.equals(frame.conversationId()) && frame.position() < before) {
                bytes -= frame.bytes(0).length;
                slots.set(slot(sequence), forgotten(frame.position(), frame.type()));
            }
        }
    }

    /** What stands in the place of a frame that nobody may read any more. */
    static Frame forgotten(long position, EventType type) {
        return new Forgotten(position, type);
    }

    /** Gives up everything, and goes on after a position, at or after the head. By the thread that adds. */
    void restart(long position) {
        while (oldest < next) {
            evict();
        }
        heldBytes = bytes;
        floor = position;
        head = position;
    }

    private void evict() {
        Frame frame = slots.get(slot(oldest));
        floor = frame.position();
        oldest = oldest + 1;
        bytes -= frame.bytes(0).length;
        slots.set(slot(oldest - 1), null);
    }

    /** Every record up to this position that is newer than the floor is held. Read it before {@link #next()}. */
    long head() {
        return head;
    }

    long floor() {
        return floor;
    }

    /** The sequence that the next frame will get. */
    long next() {
        return next;
    }

    /** Frames that are held. */
    int size() {
        long first = oldest;
        return (int) Math.max(0, next - first);
    }

    /** Sum of the first forms of the frames that are held. */
    long bytes() {
        return heldBytes;
    }

    boolean isEmpty() {
        long end = next;
        return oldest >= end;
    }

    /** The frame of this sequence, which must be below {@link #next()}; null if it is no longer held. */
    Frame get(long sequence) {
        Frame frame = slots.get(slot(sequence));
        return sequence < oldest ? null : frame;
    }

    /** Since when the frame of this sequence, which {@link #get} has just given, is known; 0 if nobody knows. */
    long sinceNanos(long sequence) {
        return sinceNanos[slot(sequence)];
    }

    /** The first sequence whose frame lies after a position, or -1 if frames after it are no longer held. */
    long sequenceAfter(long position) {
        if (position < floor) { // looked at first: what is added below it later is not in what is searched
            return -1;
        }
        long low = oldest;
        long high = next;
        while (low < high) {
            long middle = (low + high) >>> 1;
            Frame frame = get(middle);
            if (frame == null || frame.position() <= position) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        // Looked at last, too: if the floor is still at or below the position, nothing after it was given up on the
        // way.
        return position < floor ? -1 : low;
    }

    private int slot(long sequence) {
        return (int) sequence & mask;
    }

    /** What is left of a frame: its place. */
    private record Forgotten(long position, EventType type) implements Frame {

        private static final byte[] NOTHING = {};

        @Override
        public String conversationId() {
            return null;
        }

        @Override
        public byte[] bytes(int form) {
            return NOTHING;
        }
    }
}
