package dev.agentpipe.server.loadtest;

import dev.agentpipe.server.loadtest.Conversations.Message;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;

/**
 * All open streams, and what is seen on them in the current step. The thread that runs the steps opens and asks; the HTTP
 * client's threads count.
 */
final class Viewers implements Viewer.Counter {

    private static final int OPENING_MAX = 64;
    private static final long OPEN_SECONDS_MAX = 10;
    private static final long POLL_MILLIS = 10;

    private final BenchClient client;
    private final Conversations conversations;
    private final Follow follow;
    private final BooleanSupplier stopped;
    private final Set<Viewer> open = ConcurrentHashMap.newKeySet();
    private final Semaphore opening = new Semaphore(OPENING_MAX);
    private int created;

    // Of the current step.
    private volatile Ledger ledger;
    private final LongAdder lost = new LongAdder();
    private final LongAdder disordered = new LongAdder();
    private final Map<String, LongAdder> failures = new ConcurrentHashMap<>();
    private int opened;
    private int[] followers = {0};

    Viewers(BenchClient client, Conversations conversations, Follow follow, BooleanSupplier stopped) {
        this.client = client;
        this.conversations = conversations;
        this.follow = follow;
        this.stopped = stopped;
    }

    /**
     * What was seen in a step.
     *
     * @param followers how many streams each conversation had when the step began
     */
    record Seen(int opened, int lost, long disordered, int[] followers, Map<String, Long> failures) {}

    int count() {
        return open.size();
    }

    /** Opens or closes streams until there are so many, or some could not be opened; forgets the step before. */
    int open(int wanted) throws InterruptedException {
        lost.reset();
        disordered.reset();
        failures.clear();
        for (Viewer one : open) {
            if (open.size() > wanted && open.remove(one)) {
                one.close();
            }
        }
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int more = wanted - open.size(); more > 0 && failures.isEmpty() && awaitTurn(); more--) {
            all.add(openOne());
        }
        while (!CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).isDone() && !stopped.getAsBoolean()) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS); // each of them has a deadline
        }
        opened = open.size();
        followers = new int[conversations.count()];
        for (Viewer one : open) {
            for (int conversation = 0; conversation < followers.length; conversation++) {
                followers[conversation] += one.follows(conversation) ? 1 : 0;
            }
        }
        return opened;
    }

    /** From now on this step's messages are counted. */
    void begin(Ledger next) {
        ledger = next;
    }

    /** Waits until all that is stored was delivered, or nothing has come for a while that is long for a stream. */
    void awaitDeliveries(Ledger current, long quietNanos) throws InterruptedException {
        long seen = current.deliveredCount();
        long quietSince = System.nanoTime();
        while (!open.isEmpty() && !stopped.getAsBoolean() && current.missing(followers) > 0) {
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            if (current.deliveredCount() != seen) {
                seen = current.deliveredCount();
                quietSince = System.nanoTime();
            } else if (System.nanoTime() - quietSince > quietNanos) {
                return;
            }
        }
    }

    Seen seen() {
        Map<String, Long> why = new TreeMap<>();
        failures.forEach((name, number) -> why.put(name, number.sum()));
        return new Seen(opened, lost.intValue(), disordered.sum(), followers, why);
    }

    void closeAll() {
        open.forEach(Viewer::close);
        open.clear();
    }

    @Override
    public void message(Viewer viewer, Message message) {
        Ledger current = ledger;
        if (current != null && message.step() == current.step()) {
            current.delivered(message.index(), System.nanoTime());
        }
    }

    @Override
    public void disordered() {
        disordered.increment();
    }

    @Override
    public void ended(Viewer viewer, String why) {
        if (open.remove(viewer)) {
            lost.increment();
            failed(why);
        }
    }

    private boolean awaitTurn() throws InterruptedException {
        while (!stopped.getAsBoolean()) {
            if (opening.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                return true;
            }
        }
        return false;
    }

    private CompletableFuture<?> openOne() {
        int conversation = follow == Follow.ALL ? -1 : created++ % conversations.count();
        Viewer viewer = new Viewer(conversation, conversations, this);
        return client.open(viewer.follows(), viewer.body())
                .thenCompose(response -> accepted(response, viewer))
                .orTimeout(OPEN_SECONDS_MAX, TimeUnit.SECONDS)
                .handle((nothing, error) -> {
                    if (error == null) {
                        open.add(viewer);
                        if (viewer.isOver()) {
                            ended(viewer, "ended at once");
                        }
                    } else {
                        viewer.close();
                        Throwable cause = error instanceof CompletionException ? error.getCause() : error;
                        failed(
                                cause instanceof IllegalStateException
                                        ? cause.getMessage()
                                        : cause.getClass().getSimpleName());
                    }
                    opening.release();
                    return null;
                });
    }

    private static CompletableFuture<Void> accepted(HttpResponse<Void> response, Viewer viewer) {
        return response.statusCode() == 200
                ? viewer.begun()
                : CompletableFuture.failedFuture(new IllegalStateException(String.valueOf(response.statusCode())));
    }

    private void failed(String why) {
        failures.computeIfAbsent(why, name -> new LongAdder()).increment();
    }
}
