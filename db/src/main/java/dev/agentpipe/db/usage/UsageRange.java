package dev.agentpipe.db.usage;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * A stretch of time in whole quarters of an hour, from its start up to but without its end; null where it is open.
 */
public record UsageRange(Instant from, Instant to) {

    private static final Duration QUARTER = Duration.ofMinutes(15);

    /** Widened to whole quarters. */
    public UsageRange {
        from = from == null ? null : floor(from);
        to = to == null ? null : floor(to.plus(QUARTER).minusNanos(1));
    }

    private static Instant floor(Instant instant) {
        long seconds = QUARTER.toSeconds();
        return Instant.ofEpochSecond(Math.floorDiv(instant.getEpochSecond(), seconds) * seconds);
    }

    /** The first whole day in it; null if it has no beginning. */
    Instant firstDay() {
        return from == null ? null : from.plus(Duration.ofDays(1)).minusNanos(1).truncatedTo(ChronoUnit.DAYS);
    }

    /** The end of the last whole day; null if it has no end. */
    Instant daysEnd() {
        return to == null ? null : to.truncatedTo(ChronoUnit.DAYS);
    }
}
