package dev.agentpipe.server.smoke;

import java.time.Duration;

/** How long waits may take: each of them, and, since there are many, all together. */
final class Deadline {

    private final Duration mostEach;
    private final long end;

    private Deadline(Duration mostEach, long end) {
        this.mostEach = mostEach;
        this.end = end;
    }

    /** Counts from now. */
    static Deadline of(Duration mostEach, Duration mostInAll) {
        return new Deadline(mostEach, System.nanoTime() + mostInAll.toNanos());
    }

    /** For a wait that begins now; never less than a millisecond, which the HTTP client does not take. */
    Duration forOneWait() {
        Duration left = Duration.ofNanos(end - System.nanoTime());
        Duration bounded = left.compareTo(mostEach) < 0 ? left : mostEach;
        return bounded.compareTo(Duration.ofMillis(1)) < 0 ? Duration.ofMillis(1) : bounded;
    }
}
