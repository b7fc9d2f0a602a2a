package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.EventLog.Page;
import dev.agentpipe.core.log.LogUnavailableException;
import java.util.ArrayDeque;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads pages of the log for subscriptions that are behind the window, so many at a time and no more: a permit is held from
 * the read until the page is written or dropped, so it bounds both the load on the storage and the memory of pages. A
 * reader that stops in the middle of a page gives page and permit back (see {@link Lane}), so slow readers cannot keep
 * others waiting.
 *
 * <p>Thread-safe. The queue holds at most one request of each subscription.
 */
public final class Replays {

    private static final int PAGE_RECORDS = 512;
    private static final int PAGE_BYTES = 256 << 10;

    private static final Logger log = LoggerFactory.getLogger(Replays.class);

    private final EventLog eventLog;
    private final Wire wire;
    private final Executor workers;
    private final Telemetry telemetry;
    private final int permitsMax;

    // Guarded by this.
    private final ArrayDeque<Request> queue = new ArrayDeque<>();
    private int permits;

    private record Request(Lane lane, Subscription subscription, long after, long upTo) {}

    /**
     * @param workers where the log is read; blocks
     * @param permits how many pages may be read or held at a time
     */
    public Replays(EventLog eventLog, Wire wire, Executor workers, int permits) {
        this(eventLog, wire, workers, permits, Telemetry.NONE);
    }

    /** The same, and tells of the pages that are read. */
    public Replays(EventLog eventLog, Wire wire, Executor workers, int permits, Telemetry telemetry) {
        this.telemetry = telemetry;
        this.eventLog = eventLog;
        this.wire = wire;
        this.workers = workers;
        this.permitsMax = permits;
        this.permits = permits;
    }

    /**
     * Asks for the page after the subscription's position; {@link Lane#replayed}, {@code replayLost} or {@code replayFailed}
     * will follow.
     */
    void request(Lane lane, Subscription subscription, long upTo) {
        synchronized (this) {
            queue.add(new Request(lane, subscription, subscription.position, upTo));
        }
        next();
    }

    /** Permits that are taken at this moment. */
    public synchronized int inUse() {
        return permitsMax - permits;
    }

    /** Requests that wait for a permit. */
    public synchronized int waiting() {
        return queue.size();
    }

    /** Gives a permit back. */
    void release() {
        synchronized (this) {
            permits++;
        }
        next();
    }

    private void next() {
        Request request;
        synchronized (this) {
            if (permits == 0 || queue.isEmpty()) {
                return;
            }
            permits--;
            request = queue.remove();
        }
        workers.execute(() -> read(request));
    }

    private void read(Request request) {
        Lane lane = request.lane;
        Subscription subscription = request.subscription;
        try {
            long start = System.nanoTime();
            Page page = eventLog.read(request.after, request.upTo, subscription.filter, PAGE_RECORDS, PAGE_BYTES);
            telemetry.pageRead(page.records().size(), System.nanoTime() - start);
            if (page.hasLost(request.after)) {
                release();
                lane.execute(() -> lane.replayLost(subscription));
                return;
            }
            ArrayDeque<Frame> frames = new ArrayDeque<>(page.records().size());
            page.records().forEach(record -> frames.add(wire.frame(record)));
            lane.execute(() -> lane.replayed(subscription, frames, page.through()));
        } catch (LogUnavailableException e) {
            release();
            lane.execute(() -> lane.replayFailed(subscription, true));
        } catch (RuntimeException e) {
            log.error("A page of the log could not be read", e);
            release();
            lane.execute(() -> lane.replayFailed(subscription, false));
        }
    }
}
