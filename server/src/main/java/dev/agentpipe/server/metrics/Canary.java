package dev.agentpipe.server.metrics;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.event.ReadResult;
import dev.agentpipe.core.log.CommitOutcome;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.server.http.Json;
import dev.agentpipe.server.stream.Streams;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xnio.XnioIoThread;

/**
 * Sends an event of the server's own through all that an event passes, and measures how long that takes: the reader of events,
 * the queue, the log-writer and its transaction, the log's tail, and the lane of each I/O thread. The transaction takes the
 * event away again, so no position is used up, no other server hears of it, and nothing has to be hidden from anyone; so it is
 * not in the window either: that those are written to who are there, {@code agentpipe_broadcast_delay_seconds} tells.
 *
 * <p>{@link #send} is called by one thread at a time.
 */
final class Canary {

    /** Where it was lost. */
    private enum Stage {
        READ,
        APPEND,
        STREAM;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Longer than the group commit keeps anybody waiting. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Logger log = LoggerFactory.getLogger(Canary.class);

    private final EventReader reader;
    private final GroupCommit groupCommit;
    private final LogTail tail;
    private final Streams streams;
    private final List<XnioIoThread> ioThreads;
    private final BooleanSupplier mayRun;
    private final Duration patience;
    private final Timer took;
    private final Map<Stage, Counter> failures = new EnumMap<>(Stage.class);
    private volatile Instant lastSuccess = Instant.now();
    private boolean failing;

    /**
     * @param mayRun false while the server stops
     * @param patience with the commit, and then with the readers
     */
    Canary(
            Meters meters,
            EventReader reader,
            GroupCommit groupCommit,
            LogTail tail,
            Streams streams,
            List<XnioIoThread> ioThreads,
            BooleanSupplier mayRun,
            Duration patience) {
        this.patience = patience;
        this.reader = reader;
        this.groupCommit = groupCommit;
        this.tail = tail;
        this.streams = streams;
        this.ioThreads = List.copyOf(ioThreads);
        this.mayRun = mayRun;
        this.took =
                meters.timer("agentpipe.canary", "From reading the event until its last reader has it", Meters.LATENCY);
        for (Stage stage : Stage.values()) {
            failures.put(
                    stage,
                    meters.counter(
                            "agentpipe.canary.failures",
                            null,
                            "Events that were lost, by where",
                            "stage",
                            stage.label()));
        }
        meters.gauge(
                "agentpipe.canary.last.success.timestamp",
                "seconds",
                "When the last one arrived",
                () -> lastSuccess.getEpochSecond());
    }

    /** Sends one and waits for it, some seconds at the most. */
    void send() {
        if (!mayRun.getAsBoolean()) {
            return;
        }
        long start = System.nanoTime();
        try {
            Optional<Stage> lost = fly();
            if (!mayRun.getAsBoolean()) {
                return; // it may have been lost in the stop
            }
            if (lost.isEmpty()) {
                took.record(System.nanoTime() - start, TimeUnit.NANOSECONDS);
                arrived();
            } else {
                failed(lost.get());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Where it was lost; empty if it was not. */
    private Optional<Stage> fly() throws InterruptedException {
        Optional<Event> event = read();
        if (event.isEmpty()) {
            return Optional.of(Stage.READ);
        }
        AtomicReference<CommitOutcome> outcome = new AtomicReference<>();
        CountDownLatch answered = new CountDownLatch(1);
        CountDownLatch heard = new CountDownLatch(ioThreads.size());
        groupCommit.rehearse(event.get(), Runnable::run, given -> {
            outcome.set(given);
            if (given instanceof CommitOutcome.Committed) {
                tail.afterNews(() -> call(heard));
            }
            answered.countDown();
        });
        boolean isCommitted = answered.await(patience.toMillis(), TimeUnit.MILLISECONDS)
                && outcome.get() instanceof CommitOutcome.Committed;
        if (!isCommitted) {
            return Optional.of(Stage.APPEND);
        }
        return heard.await(patience.toMillis(), TimeUnit.MILLISECONDS) ? Optional.empty() : Optional.of(Stage.STREAM);
    }

    private Optional<Event> read() {
        byte[] body = Json.bytes(Map.of("type", "bridge.test", "data", Map.of("canary", UUID.randomUUID())));
        return reader.readJson(body) instanceof ReadResult.Events events
                        && events.items().size() == 1
                        && events.items().get(0) instanceof ReadResult.Item.Accepted accepted
                ? Optional.of(accepted.event())
                : Optional.empty();
    }

    private void call(CountDownLatch heard) {
        for (XnioIoThread thread : ioThreads) {
            try {
                streams.echo(thread, heard::countDown);
            } catch (RejectedExecutionException e) {
                return; // the server stops
            }
        }
    }

    private void arrived() {
        lastSuccess = Instant.now();
        if (failing) {
            failing = false;
            log.info("The server's own event arrives again");
        }
    }

    private void failed(Stage stage) {
        failures.get(stage).increment();
        if (!failing) {
            failing = true;
            log.warn(
                    "The server's own event did not arrive: it was lost at the stage {}; this is told once",
                    stage.label());
        }
    }
}
