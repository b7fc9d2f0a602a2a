package dev.agentpipe.server;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.usage.Usage;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the sums of usage forward, so that whoever asks for them need not. Only when it is worth a step, and with pauses,
 * so that ingest hardly notices: a step takes some 50 milliseconds for 10,000 events.
 */
final class UsageSums {

    static final Duration INTERVAL = Duration.ofSeconds(10);

    /** A smaller rest is added up for each question in some milliseconds. */
    private static final long REST = 5_000;

    /** A pause is so many times as long as the work before it. */
    private static final int PAUSE_FACTOR = 4;

    private static final Logger log = LoggerFactory.getLogger(UsageSums.class);

    private final Usage usage;

    UsageSums(Usage usage) {
        this.usage = usage;
    }

    /** Blocks, for long where much was never summed up; ends when it is interrupted. */
    void bringForward() {
        try {
            long behind = usage.behind();
            while (behind > REST) {
                long start = System.nanoTime();
                behind = usage.bringForward();
                TimeUnit.NANOSECONDS.sleep(PAUSE_FACTOR * (System.nanoTime() - start));
            }
        } catch (LogUnavailableException e) {
            log.debug("Usage is summed up later", e); // whoever needs the database says that it is away
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
