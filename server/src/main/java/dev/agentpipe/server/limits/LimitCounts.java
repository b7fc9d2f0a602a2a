package dev.agentpipe.server.limits;

import java.util.concurrent.atomic.LongAdder;

/** What the limits did since the start. Thread-safe. */
public final class LimitCounts {

    final LongAdder held = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder refusedStreams = new LongAdder();
    final LongAdder alone = new LongAdder();

    LimitCounts() {}

    /** Requests that had to wait for a moment. */
    public long held() {
        return held.sum();
    }

    /** Requests that got 429. */
    public long refused() {
        return refused.sum();
    }

    /** Streams that their address had too many of. */
    public long refusedStreams() {
        return refusedStreams.sum();
    }

    /** Requests about which this node decided without the others, although it shares tallies with them. */
    public long alone() {
        return alone.sum();
    }
}
