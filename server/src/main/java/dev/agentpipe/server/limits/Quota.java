package dev.agentpipe.server.limits;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * So many in a window: as a burst, or evenly, or anything between.
 *
 * @param name as clients see it
 * @param unit what is counted, in words
 * @param max 0: any number
 */
record Quota(String name, String unit, int max, Duration window) {

    /** What does not fit now, but will so soon, waits: the AgentPipe CLI drops what gets a 429. It waits 10 s for an answer. */
    static final long HELD_NANOS_MAX = TimeUnit.SECONDS.toNanos(2);

    boolean isOff() {
        return max == 0;
    }

    long windowNanos() {
        return window.toNanos();
    }

    /** After so long one more fits. */
    long eachNanos() {
        return window.toNanos() / max;
    }

    /** As {@code RateLimit-Policy} tells it. */
    String policy() {
        return '"' + name + "\";q=" + max + ";w=" + window.toSeconds();
    }
}
