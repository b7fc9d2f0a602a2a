package dev.agentpipe.server.search;

import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.db.search.SearchIndex;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the index of the search up to date. The more comes in, the smaller a part of the time it works, since it shares its
 * processors with the appends; the search then looks at the newest messages by itself. One thread at a time.
 */
public final class SearchIndexer {

    public static final Duration INTERVAL = Duration.ofMillis(200);

    /** Events a second from which on appends are left room. A pause then is as long as the work before it: it keeps up. */
    private static final double BUSY = 1_000;

    /** With more events pauses grow alike, up to so many times the work. */
    private static final double PAUSE_FACTOR_MAX = 20;

    /** How often to look though nothing was appended: another server may have left something undone. */
    private static final Duration LOOK_INTERVAL = Duration.ofSeconds(30);

    private static final Logger log = LoggerFactory.getLogger(SearchIndexer.class);

    private final SearchIndex index;
    private final LongSupplier head;
    private long seen = -1;
    private long lookedAt;

    /** @param head the greatest position that is known here */
    public SearchIndexer(SearchIndex index, LongSupplier head) {
        this.index = index;
        this.head = head;
    }

    /** Indexes what there is; returns at once if there is nothing, or another server does it. Ends when interrupted. */
    public void catchUp() {
        if (head.getAsLong() <= seen && System.nanoTime() - lookedAt < LOOK_INTERVAL.toNanos()) {
            return;
        }
        try {
            SearchIndex.Step step;
            do {
                long start = System.nanoTime();
                long before = head.getAsLong();
                step = index.step();
                long worked = System.nanoTime() - start;
                pause(worked, before - Math.max(seen, 0), start - lookedAt);
                seen = before;
                lookedAt = start;
            } while (step.isMine() && !step.isDone());
            seen = step.position();
        } catch (LogUnavailableException e) {
            log.debug(
                    "The search's index is brought up to date later", e); // whoever needs the database says it is away
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pause(long worked, long appended, long sinceNanos) throws InterruptedException {
        double busy = appended * 1e9 / Math.max(1, sinceNanos) / BUSY;
        TimeUnit.NANOSECONDS.sleep(busy < 1 ? 0 : (long) (worked * Math.min(busy, PAUSE_FACTOR_MAX)));
    }
}
