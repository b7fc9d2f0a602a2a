package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.broadcast.Subscription.State;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The subscriptions of one event loop, and the sweep that carries them along the log.
 *
 * <p><b>The sweep.</b> New frames wake each lane once, however many readers it has. The lane copies all frames that are new
 * to it into one buffer and writes that buffer to every live reader: no queue for a reader, no task, no allocation, no
 * lock. Live readers share one cursor, the lane's. A reader with a filter is found by the conversation of a frame, so it
 * costs nothing while nothing matches, and then fetches its frames for itself.
 *
 * <p><b>The slow.</b> A short write takes a reader out of the sweep: it keeps the rest of the frame that was cut, and its
 * own position. When its connection takes bytes again it goes on from the window; if the window has moved past it, from the
 * log, page by page ({@link Replays}); if it takes nothing for too long, it is closed. A reader that resumes starts in the
 * same way, from the position that it names. When it has everything that its lane has swept, it joins the sweep.
 *
 * <p><b>Why nothing is lost or doubled at a hand-over.</b> Only the lane's thread moves the lane's cursor and the reader's,
 * and a reader joins only if both are equal at that moment. The window answers "after this position" or "no longer held",
 * never with a gap.
 *
 * <p><b>Fairness.</b> An event loop runs all queued tasks before it looks at its connections again, so a lane that queued
 * itself while frames keep coming would starve them: after a sweep it lets the loop look first. A reader that catches up
 * yields likewise after a turn's worth of bytes.
 *
 * <p>{@link #wake}, {@link #execute} and {@link #size} are thread-safe, all else belongs to the loop's thread.
 */
public final class Lane {

    /**
     * Limits of each reader.
     *
     * @param heartbeat silence after which a heartbeat is written
     * @param stall how long a reader may take nothing while something waits for it
     */
    public record Limits(Duration heartbeat, Duration stall) {}

    private static final int SCRATCH_BYTES = 64 << 10;
    private static final int TURN_WRITES = 8;

    private static final Logger log = LoggerFactory.getLogger(Lane.class);

    private final Window window;
    private final Wire wire;
    private final Loop loop;
    private final Limits limits;
    private final LongSupplier nanoTime;
    private final Scratch scratch = new Scratch(SCRATCH_BYTES);
    private final CatchUp catchUp;

    /** Whether a sweep is queued or running. */
    private final AtomicBoolean awake = new AtomicBoolean();

    private volatile int size;

    // Owned by the loop's thread: who is here, and who of them is live.
    private final Set<Subscription> all = new HashSet<>();
    private final Audience live;

    // Owned by the loop's thread: the cursor of the live ones. They have every frame below nextSequence.
    private long nextSequence;
    private long position;
    private long now;

    public Lane(Broadcaster broadcaster, Wire wire, Replays replays, Loop loop, Limits limits, LongSupplier nanoTime) {
        this.window = broadcaster.window();
        this.wire = wire;
        this.loop = loop;
        this.limits = limits;
        this.nanoTime = nanoTime;
        this.catchUp = new CatchUp(window, replays, scratch);
        this.live = new Audience(wire.forms());
        this.position = window.head();
        this.nextSequence = window.sequenceAfter(position);
        broadcaster.add(this);
    }

    /** Makes the lane sweep soon. */
    void wake() {
        if (awake.compareAndSet(false, true)) {
            loop.execute(this::sweepInTurn);
        }
    }

    void execute(Runnable task) {
        loop.execute(task);
    }

    /** How many subscriptions it has. */
    public int size() {
        return size;
    }

    /** The position up to which a reader that joins now, for what comes, has missed nothing. */
    public long position() {
        return position;
    }

    public void attach(Subscription subscription) {
        now = nanoTime.getAsLong();
        sweep();
        if (subscription.position > position) {
            throw new IllegalArgumentException("a position ahead of this node's head");
        }
        all.add(subscription);
        size = all.size();
        subscription.attachedNanos = now;
        subscription.lastWriteNanos = now;
        pump(subscription);
    }

    /** The outlet takes bytes again. */
    public void writable(Subscription subscription) {
        if (subscription.blocked) {
            subscription.blocked = false;
            now = nanoTime.getAsLong();
            pump(subscription);
        }
    }

    /** The reader has gone away. */
    public void gone(Subscription subscription) {
        close(subscription, CloseReason.GONE);
    }

    /** Begins to end so many subscriptions, with a farewell; returns how many there are still. */
    public int end(int count, CloseReason reason) {
        now = nanoTime.getAsLong();
        List<Subscription> some =
                all.stream().filter(s -> s.ending == null).limit(count).toList();
        some.forEach(subscription -> end(subscription, reason));
        return all.size();
    }

    /** Heartbeats, ages and stalls. To be called several times in each of their durations. */
    public void tick() {
        now = nanoTime.getAsLong();
        byte[][] heartbeats = new byte[live.forms()][];
        for (Subscription subscription : List.copyOf(all)) {
            boolean silent = now - subscription.lastWriteNanos >= limits.heartbeat.toNanos();
            if (subscription.blocked) {
                if (now - subscription.blockedNanos >= limits.stall.toNanos()) {
                    close(subscription, CloseReason.STALLED);
                }
            } else if (hasAged(subscription)) {
                end(subscription, CloseReason.AGED);
            } else if (subscription.retry) {
                subscription.retry = false;
                pump(subscription);
            } else if (silent && subscription.state == State.LIVE) {
                int form = subscription.form;
                if (heartbeats[form] == null) {
                    heartbeats[form] = wire.heartbeat(form, position);
                }
                subscription.position = position;
                writeAlone(subscription, heartbeats[form]);
            } else if (silent && subscription.state == State.REPLAYING) {
                writeAlone(subscription, wire.heartbeat(subscription.form, -1));
            }
        }
    }

    private boolean hasAged(Subscription subscription) {
        return subscription.ageNanosMax > 0
                && subscription.ending == null
                && now - subscription.attachedNanos >= subscription.ageNanosMax;
    }

    private void sweepInTurn() {
        now = nanoTime.getAsLong();
        sweep();
        if (hasNews()) {
            loop.executeLater(this::sweepInTurn);
            return;
        }
        awake.set(false);
        if (hasNews()) {
            wake();
        }
    }

    private boolean hasNews() {
        return window.next() > nextSequence || window.head() > position;
    }

    private void sweep() {
        long head;
        long end;
        Frame newest;
        do {
            head = window.head(); // read before next(): all frames up to this head are below that sequence
            end = window.next();
            newest = end > nextSequence ? window.get(end - 1) : null;
        } while (newest == null && end > nextSequence); // already gone: the window has moved on meanwhile
        List<Subscription> alone = new ArrayList<>();
        if (newest != null) {
            for (int form = 0; form < live.forms(); form++) {
                sweep(form, end, alone);
            }
            sweepFiltered(end, alone);
            nextSequence = end;
            // Of this very frame, not of what the window holds by now: live readers stand where this sweep has ended.
            position = newest.position();
        }
        position = Math.max(position, head);
        alone.forEach(this::pump);
    }

    /** Writes the new frames to all readers of one form; those who must read on their own are added to {@code alone}. */
    private void sweep(int form, long end, List<Subscription> alone) {
        Roster roster = live.unfiltered(form);
        long sequence = nextSequence;
        long reached = position;
        while (sequence < end && roster.size() > 0) {
            long from = reached;
            scratch.clear();
            Frame frame = window.get(sequence);
            while (frame != null && scratch.fits(frame.bytes(form).length)) {
                reached = frame.position();
                scratch.put(frame.bytes(form), 0, reached);
                sequence++;
                frame = sequence < end ? window.get(sequence) : null;
            }
            if (scratch.isEmpty()) { // a frame too large for the buffer, or no longer in the window
                for (int i = roster.size() - 1; i >= 0; i--) {
                    takeAside(roster.get(i), from, alone);
                }
                return;
            }
            for (int i = roster.size() - 1; i >= 0; i--) {
                Subscription subscription = roster.get(i);
                subscription.position = from;
                write(subscription);
            }
        }
    }

    /** Finds the readers with a filter for whom something new is there. */
    private void sweepFiltered(long end, List<Subscription> alone) {
        for (long sequence = nextSequence; sequence < end; sequence++) {
            Frame frame = window.get(sequence);
            if (frame == null) { // so long in coming that the window has moved on: everyone looks for himself
                live.forEachFiltered(subscription -> takeAside(subscription, position, alone));
                return;
            }
            live.forEachMatching(frame, subscription -> takeAside(subscription, position, alone));
        }
    }

    /** Marks a live reader, once a sweep, to be pumped from the place where it stands. */
    private static void takeAside(Subscription subscription, long from, List<Subscription> alone) {
        if (!subscription.aside) {
            subscription.aside = true;
            subscription.position = from;
            alone.add(subscription);
        }
    }

    /** Gives a reader what it lacks until its connection is full, its turn is over, or it has all that the lane has. */
    private void pump(Subscription subscription) {
        subscription.aside = false;
        for (int writes = 0; writes < TURN_WRITES; writes++) {
            boolean idle = subscription.state == State.REPLAYING && subscription.rest == null;
            if (subscription.state == State.CLOSED || subscription.blocked || idle) {
                return;
            }
            long reached = catchUp.gather(subscription, nextSequence, position);
            if (scratch.isEmpty()) {
                if (!goOn(subscription, reached)) {
                    return;
                }
            } else if (write(subscription) && subscription.rest == null && reached != CatchUp.UNKNOWN) {
                subscription.position = reached;
            }
        }
        leave(subscription); // else the next sweep would take it for one that has everything
        loop.executeLater(() -> {
            now = nanoTime.getAsLong();
            pump(subscription);
        });
    }

    /** Nothing is left where it reads: it ends, or goes to the log, or joins the sweep; true if it may read on at once. */
    private boolean goOn(Subscription subscription, long reached) {
        if (subscription.ending != null) {
            close(subscription, subscription.ending);
            return false;
        }
        if (reached == CatchUp.UNKNOWN) {
            leave(subscription);
            catchUp.requestPage(this, subscription, position);
            return false;
        }
        subscription.position = reached;
        if (reached < position) {
            return true;
        }
        join(subscription);
        return false;
    }

    /** A page was read for a subscription. */
    void replayed(Subscription subscription, ArrayDeque<Frame> frames, long through) {
        now = nanoTime.getAsLong();
        if (catchUp.acceptPage(subscription, frames, through)) {
            pump(subscription);
        }
    }

    /** What it wants is no longer retained. It comes back with its place, and is told so: a stream is not reset midway. */
    void replayLost(Subscription subscription) {
        now = nanoTime.getAsLong();
        if (subscription.state == State.REPLAYING) {
            end(subscription, CloseReason.NOT_RETAINED);
        }
    }

    /** A page could not be read: for now, or never. */
    void replayFailed(Subscription subscription, boolean forNow) {
        if (subscription.state != State.REPLAYING) {
            return;
        }
        if (forNow) {
            subscription.state = State.LAGGING;
            subscription.retry = true;
        } else {
            close(subscription, CloseReason.FAILED);
        }
    }

    private void writeAlone(Subscription subscription, byte[] bytes) {
        scratch.clear();
        scratch.put(bytes, 0, subscription.position);
        write(subscription);
    }

    /** Writes the buffer; whether all of it was taken. If not, the reader now waits for its connection, or is closed. */
    private boolean write(Subscription subscription) {
        try {
            boolean all = scratch.writeTo(subscription);
            subscription.lastWriteNanos = now;
            if (!all) {
                block(subscription);
            }
            return all;
        } catch (IOException e) {
            close(subscription, CloseReason.GONE);
            return false;
        } catch (RuntimeException e) {
            log.error("A stream could not be written", e);
            close(subscription, CloseReason.FAILED);
            return false;
        }
    }

    private void block(Subscription subscription) {
        leave(subscription);
        catchUp.dropPage(subscription);
        subscription.blocked = true;
        subscription.blockedNanos = now;
        subscription.outlet.awaitWritable();
    }

    private void join(Subscription subscription) {
        if (subscription.state == State.LIVE) {
            return;
        }
        subscription.state = State.LIVE;
        live.add(subscription);
    }

    private void leave(Subscription subscription) {
        if (subscription.state != State.LIVE) {
            return;
        }
        subscription.state = State.LAGGING;
        live.remove(subscription);
    }

    private void end(Subscription subscription, CloseReason reason) {
        if (subscription.state == State.LIVE) {
            subscription.position = position;
            leave(subscription);
        }
        catchUp.dropPage(subscription);
        subscription.state = State.LAGGING;
        subscription.ending = reason;
        byte[] farewell = wire.farewell(subscription.form, reason);
        subscription.rest = subscription.rest == null ? farewell : restAnd(farewell, subscription);
        subscription.restFrom = 0;
        pump(subscription);
    }

    private static byte[] restAnd(byte[] farewell, Subscription subscription) {
        int left = subscription.rest.length - subscription.restFrom;
        byte[] both = new byte[left + farewell.length];
        System.arraycopy(subscription.rest, subscription.restFrom, both, 0, left);
        System.arraycopy(farewell, 0, both, left, farewell.length);
        return both;
    }

    private void close(Subscription subscription, CloseReason reason) {
        if (subscription.state == State.CLOSED) {
            return;
        }
        leave(subscription);
        catchUp.dropPage(subscription);
        subscription.state = State.CLOSED;
        subscription.rest = null;
        subscription.blocked = false;
        all.remove(subscription);
        size = all.size();
        subscription.outlet.close(reason);
    }
}
