package dev.agentpipe.server.stream;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.broadcast.CloseReason;
import dev.agentpipe.core.broadcast.Lane;
import dev.agentpipe.core.broadcast.Replays;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.server.Settings;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.xnio.XnioExecutor;
import org.xnio.XnioIoThread;

/**
 * All streams of this node: a lane for each I/O thread, their number and its limit, and their end.
 *
 * <p>Thread-safe.
 */
public final class Streams implements AutoCloseable {

    /** How many pages of the log may be read or held at a time for readers that are behind. */
    private static final int REPLAYS_AT_A_TIME = 4;

    private static final Duration DRAIN = Duration.ofMillis(1_500);
    private static final int DRAIN_SLICES = 10;

    /** How much earlier than its full age a stream may end. */
    static final double AGE_SPREAD = 0.2;

    /** A hundred readers or so; what a request may have to wait for its I/O thread. */
    private static final Duration SLICE = Duration.ofMillis(1);

    /** Where a stream begins. */
    public enum Start {
        /** With what comes next. */
        LIVE,
        /** After an id. */
        RESUMED,
        /** With the last so many. */
        LAST,
        RESET
    }

    /** Why a stream cannot be resumed where its reader was. */
    public enum Reset {
        MALFORMED,
        OTHER_EPOCH,
        AHEAD,
        NOT_RETAINED,
        TOO_FAR_BEHIND;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public record ReplayState(int inUse, int waiting, int max) {}

    private final SseFrames frames;
    private final Broadcaster broadcaster;
    private final Replays replays;
    private final Settings.Streams settings;
    private final Map<XnioIoThread, Lane> lanes = new ConcurrentHashMap<>();
    private final Queue<IoLoop> loops = new ConcurrentLinkedQueue<>();
    private final Queue<XnioExecutor.Key> ticks = new ConcurrentLinkedQueue<>();
    private final AtomicInteger open = new AtomicInteger();
    private final AtomicInteger ofConversations = new AtomicInteger();
    private final Map<XnioIoThread, Echo> echoes = new ConcurrentHashMap<>();
    private final Map<CloseReason, LongAdder> ended = new EnumMap<>(CloseReason.class);
    private final Map<Start, LongAdder> started = new EnumMap<>(Start.class);
    private final Map<Reset, LongAdder> resets = new EnumMap<>(Reset.class);
    private volatile long retainedAfter;
    private volatile boolean draining;

    /**
     * @param start where this node's readers begin
     * @param workers where the log may be read
     */
    public Streams(
            EventLog eventLog, LogState start, Broadcaster.Limits limits, Settings.Streams settings, Executor workers) {
        this(eventLog, start, limits, settings, workers, Telemetry.NONE);
    }

    /** The same, and tells of what is broadcast. */
    public Streams(
            EventLog eventLog,
            LogState start,
            Broadcaster.Limits limits,
            Settings.Streams settings,
            Executor workers,
            Telemetry telemetry) {
        this.frames = new SseFrames(start.epoch());
        this.broadcaster = new Broadcaster(frames::frame, start.head(), limits, telemetry);
        this.replays = new Replays(eventLog, frames, workers, REPLAYS_AT_A_TIME, telemetry);
        this.settings = settings;
        for (CloseReason reason : CloseReason.values()) {
            ended.put(reason, new LongAdder());
        }
        for (Start one : Start.values()) {
            started.put(one, new LongAdder());
        }
        for (Reset reason : Reset.values()) {
            resets.put(reason, new LongAdder());
        }
    }

    /** What the log's tail feeds. */
    public Broadcaster broadcaster() {
        return broadcaster;
    }

    /** Streams that are open. */
    public int count() {
        return open.get();
    }

    /** Those of them that watch some conversations only. */
    public int ofConversations() {
        return ofConversations.get();
    }

    public int connectionsMax() {
        return settings.connectionsMax();
    }

    /** Pages of the log that are read or held for readers at this moment, how many wait for one, and how many may be. */
    public ReplayState replayState() {
        return new ReplayState(replays.inUse(), replays.waiting(), REPLAYS_AT_A_TIME);
    }

    /** How many streams have ended since the start, by reason. */
    public Map<CloseReason, Long> ended() {
        Map<CloseReason, Long> counts = new EnumMap<>(CloseReason.class);
        ended.forEach((reason, count) -> counts.put(reason, count.sum()));
        return counts;
    }

    /** How many have begun so since the start. */
    public long started(Start how) {
        return started.get(how).sum();
    }

    /** How many could not be resumed, for this reason. */
    public long resets(Reset reason) {
        return resets.get(reason).sum();
    }

    /** Events that were written to readers, each for each. */
    public long delivered() {
        return lanes.values().stream().mapToLong(Lane::delivered).sum();
    }

    /** Bytes that were written to readers. */
    public long written() {
        return lanes.values().stream().mapToLong(Lane::written).sum();
    }

    /**
     * Sends something through the lane of an I/O thread, to a reader that nobody sees. A thread that never had a stream has no
     * lane, and gets none for this: every append would wake it.
     */
    public void echo(XnioIoThread thread, Runnable heard) {
        thread.execute(() -> {
            Lane lane = lanes.get(thread);
            if (lane == null) {
                heard.run();
            } else {
                echoes.computeIfAbsent(thread, unseen -> new Echo(lane)).call(heard);
            }
        });
    }

    /** Nobody resumes at a position before this floor of the log, although memory may still hold what follows. */
    public void retainOnlyAfter(long floor) {
        retainedAfter = floor;
    }

    /** Records after this position and up to the head can be had without a look into the log. */
    long floor() {
        return Math.max(retainedAfter, broadcaster.floor());
    }

    /** Ends the streams of those who may not read any longer. */
    public void endForbidden() {
        lanes.forEach((thread, lane) -> thread.execute(() -> lane.end(
                outlet -> outlet instanceof SseConnection connection && !connection.mayStillRead(),
                CloseReason.FORBIDDEN)));
    }

    void countStart(Start how) {
        started.get(how).increment();
    }

    void countReset(Reset reason) {
        resets.get(reason).increment();
    }

    void countEnd(CloseReason reason) {
        ended.get(reason).increment();
    }

    SseFrames frames() {
        return frames;
    }

    Settings.Streams settings() {
        return settings;
    }

    /** A place among the streams; gives itself back once, however often it is told to. */
    final class Place {
        private final AtomicBoolean taken = new AtomicBoolean(true);
        private final boolean ofConversations;

        private Place(boolean ofConversations) {
            this.ofConversations = ofConversations;
            if (ofConversations) {
                Streams.this.ofConversations.incrementAndGet();
            }
        }

        void leave() {
            if (taken.compareAndSet(true, false)) {
                open.decrementAndGet();
                if (ofConversations) {
                    Streams.this.ofConversations.decrementAndGet();
                }
            }
        }
    }

    /**
     * Empty when the server is full or stopping.
     *
     * @param ofConversations whether only some conversations are wanted
     */
    Optional<Place> enter(boolean ofConversations) {
        if (draining) {
            return Optional.empty();
        }
        if (open.incrementAndGet() > settings.connectionsMax()) {
            open.decrementAndGet();
            return Optional.empty();
        }
        return Optional.of(new Place(ofConversations));
    }

    /** The lane of this I/O thread, which must be the current one. */
    Lane lane(XnioIoThread thread) {
        return lanes.computeIfAbsent(thread, this::newLane);
    }

    private Lane newLane(XnioIoThread thread) {
        IoLoop loop = new IoLoop(thread);
        loops.add(loop);
        Lane.Limits limits = new Lane.Limits(settings.heartbeat(), settings.stallMax(), SLICE);
        Lane lane = new Lane(broadcaster, frames, replays, loop, limits, System::nanoTime);
        long shortest =
                Math.min(settings.heartbeat().toMillis(), settings.stallMax().toMillis());
        long tickMillis = Math.max(10, Math.min(1_000, shortest / 4));
        ticks.add(thread.executeAtInterval(lane::tick, tickMillis, TimeUnit.MILLISECONDS));
        return lane;
    }

    /**
     * Admits nobody from now on, and ends all streams, in slices spread over a while so that their readers do not fall on
     * the other nodes all at once. Returns when they have ended or after twice that while.
     */
    @Override
    public void close() {
        draining = true;
        try {
            endInSlices();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // An I/O thread that is told to stop waits for its channels, and calls it an error if a timer is left.
        loops.forEach(loop -> loop.execute(loop::close));
        ticks.forEach(XnioExecutor.Key::remove);
    }

    private void endInSlices() throws InterruptedException {
        for (int slice = 0; slice < 2 * DRAIN_SLICES && open.get() > 0; slice++) {
            int left = Math.max(1, DRAIN_SLICES - slice);
            lanes.forEach((thread, lane) ->
                    thread.execute(() -> lane.end((lane.size() + left - 1) / left, CloseReason.SHUTDOWN)));
            TimeUnit.MILLISECONDS.sleep(DRAIN.toMillis() / DRAIN_SLICES);
        }
    }
}
