package dev.agentpipe.server.limits;

import java.util.List;
import java.util.Optional;

/** Tallies that several nodes share, by the same algorithm as {@link Tallies}. Does not throw, and may block for a moment. */
public interface SharedTallies {

    /** Microseconds: what a tally can be told in without loss, whoever keeps it. */
    record Take(String tally, long costMicros, long mostMicros) {}

    /**
     * Takes for several requests, in their order, each all or nothing, in one step.
     *
     * @param requests a negative cost gives back
     * @return for each take of each request: how full its tally is now, in microseconds; where it did not fit, the bitwise
     *     complement of how full it is without it. Empty if they cannot be asked now
     */
    Optional<List<Long>> take(List<List<Take>> requests);

    /** Whether it is worth asking. Does not block. */
    boolean isThere();
}
