package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.broadcast.Subscription.State;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The subscriptions of one event loop, and what carries them along the log.
 *
 * <p><b>The live</b> have everything that came. New frames wake each lane once, however many readers it has, and the
 * {@link Sweep} writes them to all.
 *
 * <p><b>The slow.</b> A short write takes a reader out of the sweep: it keeps the rest of the frame that was cut, and its
 * own position. When its connection takes bytes again it gets a turn, and goes on from the window; if the window has moved
 * past it, from the log, page by page ({@link Replays}); if it takes nothing for too long, it is closed. A reader that
 * resumes starts in the same way, from the position that it names. When it has everything that its lane has swept, it joins
 * the sweep.
 *
 * <p><b>Why nothing is lost or doubled at a hand-over.</b> Only the lane's thread moves the sweep's cursor and the reader's,
 * and a reader joins only if both are equal at that moment. The window answers "after this position" or "no longer
 * held", never with a gap.
 *
 * <p><b>Fairness.</b> An event loop runs all queued tasks before it looks at its connections again, and so do all
 * connections that are ready before the next task: thousands of readers would keep each other, and the loop's requests,
 * waiting. So nothing is written anywhere but in a {@link #slice}, which is short: first the sweep, then turns of those
 * who are behind; then the loop looks at its connections, however much is left to do. A live reader waits for one slice
 * of the others at the most. If the loop took long for everything else, slices become as much longer, within limits:
 * under more load than there is time for, requests wait for the readers, and those who send are slowed down to what can be
 * read, instead of leaving the readers ever further behind.
 *
 * <p>{@link #wake}, {@link #execute} and {@link #size} are thread-safe, all else belongs to the loop's thread.
 */
public final class Lane {

    /**
     * Limits of each reader, and of the lane.
     *
     * @param heartbeat silence after which a heartbeat is written
     * @param stall how long a reader may take nothing while something waits for it
     * @param slice how long the sweep, and then the turns, may write before the loop looks at its other connections
     */
    public record Limits(Duration heartbeat, Duration stall, Duration slice) {}

    private static final int SCRATCH_BYTES = 64 << 10;

    /** Writes of one turn: so many that a reader who fetches a page or two needs one. */
    private static final int TURN_WRITES = 8;

    /** So many times what the loop took for everything else, sweep and turns may take each; and their longest slice. */
    private static final int SHARE = 8;

    private static final int SLICES_MAX = 16;

    private static final Logger log = LoggerFactory.getLogger(Lane.class);

    private final Wire wire;
    private final Loop loop;
    private final Limits limits;
    private final LongSupplier nanoTime;
    private final Telemetry telemetry;
    private final Scratch scratch = new Scratch(SCRATCH_BYTES);
    private final CatchUp catchUp;

    /** Whether a slice is queued or running. */
    private final AtomicBoolean awake = new AtomicBoolean();

    private volatile int size;

    // What was counted up to the end of the last slice.
    private final AtomicLong delivered = new AtomicLong();
    private final AtomicLong written = new AtomicLong();

    // Owned by the loop's thread.
    private final Set<Subscription> all = new HashSet<>();
    private final Sweep sweep;
    /** Those who may write something of their own; each at most once, and in the order in which they came. */
    private final ArrayDeque<Subscription> turns = new ArrayDeque<>();

    private long now;
    private long sliceEnd;
    /** Since when the oldest of what readers have fetched for themselves in this slice is known; 0 if nothing was. */
    private long fetchedSinceNanos;

    public Lane(Broadcaster broadcaster, Wire wire, Replays replays, Loop loop, Limits limits, LongSupplier nanoTime) {
        this.wire = wire;
        this.loop = loop;
        this.limits = limits;
        this.nanoTime = nanoTime;
        this.telemetry = broadcaster.telemetry();
        this.catchUp = new CatchUp(broadcaster.window(), replays, scratch);
        this.sweep = new Sweep(broadcaster.window(), wire.forms(), SCRATCH_BYTES, new Readers(), telemetry, nanoTime);
        broadcaster.add(this);
    }

    /** Makes the lane look for new frames soon. */
    void wake() {
        if (awake.compareAndSet(false, true)) {
            loop.execute(this::slice);
        }
    }

    void execute(Runnable task) {
        loop.execute(task);
    }

    /** How many subscriptions it has. */
    public int size() {
        return size;
    }

    /** How many frames were written, for each reader of each. Thread-safe. */
    public long delivered() {
        return delivered.get();
    }

    /** How many bytes were written. Thread-safe. */
    public long written() {
        return written.get();
    }

    /** The position up to which a reader that joins now, for what comes, has missed nothing. */
    public long position() {
        return sweep.position();
    }

    /** @param subscription whose position is at or below {@link Broadcaster#head()} */
    public void attach(Subscription subscription) {
        now = nanoTime.getAsLong();
        all.add(subscription);
        size = all.size();
        subscription.attachedNanos = now;
        subscription.lastWriteNanos = now;
        queue(subscription);
    }

    /** The outlet takes bytes again. */
    public void writable(Subscription subscription) {
        if (subscription.blocked) {
            subscription.blocked = false;
            queue(subscription);
        }
    }

    /** The reader has gone away. */
    public void gone(Subscription subscription) {
        close(subscription, CloseReason.GONE);
    }

    /** Begins to end so many subscriptions, with a farewell. */
    public void end(int count, CloseReason reason) {
        List<Subscription> some =
                all.stream().filter(s -> s.ending == null).limit(count).toList();
        some.forEach(subscription -> end(subscription, reason));
    }

    /** Begins to end those with such an outlet, with a farewell, before anything else is written to them. */
    public void end(Predicate<Outlet> which, CloseReason reason) {
        List<Subscription> some = all.stream()
                .filter(s -> s.ending == null && which.test(s.outlet))
                .toList();
        some.forEach(subscription -> end(subscription, reason));
    }

    /** Writes to a reader what is in no frame, after all that it has. */
    public void say(Subscription subscription, byte[] bytes) {
        if (subscription.state != State.CLOSED && subscription.ending == null) {
            append(subscription, bytes);
        }
    }

    /** Heartbeats, ages and stalls. To be called several times in each of their durations. */
    public void tick() {
        now = nanoTime.getAsLong();
        for (Subscription subscription : List.copyOf(all)) {
            if (subscription.blocked) {
                if (now - subscription.blockedNanos >= limits.stall.toNanos()) {
                    close(subscription, CloseReason.STALLED);
                }
            } else if (hasAged(subscription)) {
                end(subscription, CloseReason.AGED);
            } else if (subscription.retry || isSilent(subscription)) {
                queue(subscription);
            }
        }
    }

    private boolean hasAged(Subscription subscription) {
        return subscription.ageNanosMax > 0
                && subscription.ending == null
                && now - subscription.attachedNanos >= subscription.ageNanosMax;
    }

    private boolean isSilent(Subscription subscription) {
        return now - subscription.lastWriteNanos >= limits.heartbeat.toNanos();
    }

    private void queue(Subscription subscription) {
        if (!subscription.queued) {
            subscription.queued = true;
            turns.add(subscription);
            wake();
        }
    }

    private void slice() {
        slice(limits.slice.toNanos());
    }

    private void nextSlice() {
        long least = limits.slice.toNanos();
        long elsewhere = nanoTime.getAsLong() - sliceEnd;
        slice(Math.min(Math.max(SHARE * elsewhere, least), SLICES_MAX * least));
    }

    private void slice(long nanos) {
        now = nanoTime.getAsLong();
        sweep.run(now + nanos);
        now = nanoTime.getAsLong();
        long deadline = now + nanos;
        for (int i = turns.size(); i > 0 && now - deadline < 0; i--) {
            turn(turns.remove());
            now = nanoTime.getAsLong();
        }
        tellOfSlice();
        if (hasWork()) {
            sliceEnd = now;
            loop.executeLater(this::nextSlice);
            return;
        }
        awake.set(false);
        if (hasWork()) {
            wake();
        }
    }

    private void tellOfSlice() {
        if (fetchedSinceNanos != 0) {
            telemetry.broadcast(now - fetchedSinceNanos);
            fetchedSinceNanos = 0;
        }
        delivered.lazySet(scratch.delivered() + sweep.delivered());
        written.lazySet(scratch.written() + sweep.written());
    }

    private boolean hasWork() {
        return !turns.isEmpty() || sweep.hasNews();
    }

    /** Gives a reader what it lacks until its connection is full, its turn is over, or it has all that the lane has. */
    private void turn(Subscription subscription) {
        subscription.queued = false;
        subscription.retry = false;
        boolean settled = subscription.state == State.LIVE && !subscription.aside;
        if (settled || (subscription.state == State.REPLAYING && subscription.rest == null)) {
            beat(subscription);
            return;
        }
        for (int writes = 0; writes < TURN_WRITES; writes++) {
            boolean idle = subscription.state == State.REPLAYING && subscription.rest == null;
            if (subscription.state == State.CLOSED || subscription.blocked || idle) {
                return;
            }
            long reached = catchUp.gather(subscription, sweep.sequence(), sweep.position());
            if (scratch.isEmpty()) {
                if (!goOn(subscription, reached)) {
                    return;
                }
            } else if (write(subscription, scratch) && subscription.rest == null && reached != CatchUp.UNKNOWN) {
                subscription.position = reached;
            }
        }
        queue(subscription);
    }

    /** A heartbeat, if it still is time for one. */
    private void beat(Subscription subscription) {
        if (!isSilent(subscription)) {
            return;
        }
        long position = -1;
        if (subscription.state == State.LIVE) {
            if (!sweep.settle(subscription)) {
                return; // the sweep is about to write to it
            }
            position = subscription.position;
        }
        scratch.clear();
        scratch.put(wire.heartbeat(subscription.form, position), 0, subscription.position);
        subscription.notEvents++;
        write(subscription, scratch);
    }

    /** Nothing is left where it reads: it ends, or goes to the log, or joins the sweep; true if it may read on at once. */
    private boolean goOn(Subscription subscription, long reached) {
        if (subscription.ending != null) {
            close(subscription, subscription.ending);
            return false;
        }
        if (reached == CatchUp.UNKNOWN) {
            sweep.leave(subscription);
            catchUp.requestPage(this, subscription, sweep.position());
            return false;
        }
        if (reached < subscription.position) { // it was ahead of this lane when it came
            queue(subscription);
            return false;
        }
        subscription.position = reached;
        if (reached < sweep.position()) {
            return true;
        }
        sweep.join(subscription);
        noteFetched(subscription);
        return false;
    }

    private void noteFetched(Subscription subscription) {
        long since = subscription.asideSinceNanos;
        if (since != 0) {
            boolean isOldest = fetchedSinceNanos == 0 || since - fetchedSinceNanos < 0;
            fetchedSinceNanos = isOldest ? since : fetchedSinceNanos;
            subscription.asideSinceNanos = 0;
        }
    }

    /** A page was read for a subscription. */
    void replayed(Subscription subscription, ArrayDeque<Frame> frames, long through) {
        if (catchUp.acceptPage(subscription, frames, through)) {
            queue(subscription);
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

    private final class Readers implements Sweep.Readers {
        @Override
        public boolean write(Subscription subscription, Scratch filled) {
            return Lane.this.write(subscription, filled);
        }

        @Override
        public void fetch(Subscription subscription) {
            queue(subscription);
        }
    }

    /** Writes the buffer; whether all of it was taken. If not, the reader now waits for its connection, or is closed. */
    private boolean write(Subscription subscription, Scratch filled) {
        try {
            boolean whole = filled.writeTo(subscription);
            subscription.lastWriteNanos = now;
            if (!whole) {
                block(subscription);
            }
            return whole;
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
        sweep.leave(subscription);
        catchUp.dropPage(subscription);
        subscription.asideSinceNanos = 0; // from here on it is the reader that is slow
        subscription.blocked = true;
        subscription.blockedNanos = now;
        subscription.outlet.awaitWritable();
    }

    private void end(Subscription subscription, CloseReason reason) {
        subscription.ending = reason;
        append(subscription, wire.farewell(subscription.form, reason));
    }

    private void append(Subscription subscription, byte[] bytes) {
        if (subscription.state == State.LIVE) {
            sweep.settle(subscription);
            sweep.leave(subscription);
        }
        catchUp.dropPage(subscription);
        subscription.state = State.LAGGING;
        subscription.notEvents += subscription.rest == null ? 1 : 0; // else it counts as the end of that event
        subscription.rest = subscription.rest == null ? bytes : restAnd(bytes, subscription);
        subscription.restFrom = 0;
        queue(subscription);
    }

    private static byte[] restAnd(byte[] bytes, Subscription subscription) {
        int left = subscription.rest.length - subscription.restFrom;
        byte[] both = new byte[left + bytes.length];
        System.arraycopy(subscription.rest, subscription.restFrom, both, 0, left);
        System.arraycopy(bytes, 0, both, left, bytes.length);
        return both;
    }

    private void close(Subscription subscription, CloseReason reason) {
        if (subscription.state == State.CLOSED) {
            return;
        }
        sweep.leave(subscription);
        catchUp.dropPage(subscription);
        subscription.state = State.CLOSED;
        subscription.rest = null;
        subscription.blocked = false;
        all.remove(subscription);
        size = all.size();
        telemetry.ended(nanoTime.getAsLong() - subscription.attachedNanos);
        subscription.outlet.close(reason);
    }
}
