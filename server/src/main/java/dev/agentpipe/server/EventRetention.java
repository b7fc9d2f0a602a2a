package dev.agentpipe.server;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.log.Retention;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Deletes the log's old events, a little at a time: most of the time it pauses, so that others hardly notice. */
final class EventRetention {

    static final Duration FIRST = Duration.ofMinutes(1);
    static final Duration INTERVAL = Duration.ofMinutes(10);

    /** A pause is so many times as long as the work before it. At 500 events a step that is still some 20,000 a second. */
    private static final int PAUSE_FACTOR = 4;

    private static final Duration PAUSE_MIN = Duration.ofMillis(5);

    private static final Logger log = LoggerFactory.getLogger(EventRetention.class);

    private final Retention retention;
    private final Duration keep;
    private final LongConsumer floorSeen;

    /** @param floorSeen told the log's floor, also when another server has moved it */
    EventRetention(Retention retention, Duration keep, LongConsumer floorSeen) {
        this.retention = retention;
        this.keep = keep;
        this.floorSeen = floorSeen;
    }

    /** Deletes all that is old now. Blocks, for long where much is old; ends when it is interrupted. */
    void deleteOld() {
        long start = System.nanoTime();
        long events = 0;
        long floor = 0;
        try {
            Retention.Trimmed trimmed;
            do {
                long stepStart = System.nanoTime();
                trimmed = retention.step(keep);
                events += trimmed.events();
                floor = trimmed.floor();
                floorSeen.accept(floor);
                pauseAfter(System.nanoTime() - stepStart);
            } while (!trimmed.isEmpty());
        } catch (LogUnavailableException e) {
            log.debug("Old events are deleted later", e); // whoever needs the database says that it is away
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (events > 0) {
            long millis = (System.nanoTime() - start) / 1_000_000;
            log.info(
                    "Deleted {} events older than {} days, up to position {}, in {} ms",
                    events,
                    keep.toDays(),
                    floor,
                    millis);
        }
    }

    private static void pauseAfter(long workNanos) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(Math.max(PAUSE_MIN.toNanos(), PAUSE_FACTOR * workNanos));
    }
}
