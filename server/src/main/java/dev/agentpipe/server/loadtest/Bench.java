package dev.agentpipe.server.loadtest;

import dev.agentpipe.server.loadtest.Report.End;
import java.net.URI;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A run: the way in, the steps, the way out. To be run once, by one thread; {@link #stop} is for any other. */
public final class Bench {

    /** A ramp that finds its limits takes about as many steps. */
    private static final int STEPS = 16;

    private static final Duration STEP_MIN = Duration.ofSeconds(1);
    private static final Duration STEP_MAX = Duration.ofSeconds(15);
    private static final Duration SETTLE_MAX = Duration.ofSeconds(2);
    private static final Duration QUIET_MAX = Duration.ofSeconds(2);
    private static final Duration FAREWELL_MAX = Duration.ofSeconds(3);
    private static final int WITHOUT_STORED_MAX = 2;
    private static final long PROGRESS_MILLIS = 500;

    private final URI base;
    private final Plan plan;
    private final Progress progress;
    private final Conversations conversations = new Conversations(Plan.CONVERSATIONS);
    private final BenchClient client;
    private final Sender sender;
    private final Viewers viewers;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "bench-timer");
        thread.setDaemon(true);
        return thread;
    });
    private final List<Result> results = new ArrayList<>();
    private long storedMessages;
    private int stepsWithoutStored;
    private volatile boolean stopped;

    /** @param base without a slash at its end */
    public Bench(URI base, String key, Plan plan, Progress progress) {
        this.base = base;
        this.plan = plan;
        this.progress = progress;
        client = new BenchClient(base, key);
        sender = new Sender(client, conversations, () -> stopped);
        viewers = new Viewers(client, conversations, plan.follow(), () -> stopped);
    }

    /** Ends the run soon; it reports what it has. */
    public void stop() {
        stopped = true;
    }

    /** @throws BenchException if not even the first event is taken */
    public Report run() throws BenchException, InterruptedException {
        long started = System.nanoTime();
        try {
            enter();
            End end = plan.isRamp() ? ramp(started) : steady();
            return new Report(base, plan, results, left(), end);
        } finally {
            leave();
        }
    }

    private End steady() throws InterruptedException {
        Step step = new Step(plan.goal().streams(), plan.goal().eventsPerSecond());
        Duration settle = settle(plan.duration());
        run(step, settle, plan.duration().minus(settle));
        return stopped ? End.STOPPED : End.ALL_TRIED;
    }

    private End ramp(long started) throws InterruptedException {
        Duration length = plan.duration().dividedBy(STEPS);
        length = length.compareTo(STEP_MIN) < 0 ? STEP_MIN : length.compareTo(STEP_MAX) > 0 ? STEP_MAX : length;
        Duration settle = settle(length);
        Ramp ramp = new Ramp(plan.goal(), plan.streamsMax(), plan.rateMax());
        Optional<Step> next = ramp.next();
        while (next.isPresent() && !stopped) {
            long left = plan.duration().toNanos() - (System.nanoTime() - started);
            if (left < length.toNanos() && !results.isEmpty()) {
                return End.TIME_OVER;
            }
            // Client and server may have just started; the first step is given as long again to warm up.
            Duration warmUp = results.isEmpty() ? length : settle;
            Result result = run(next.get(), warmUp, length.minus(settle));
            if (stepsWithoutStored == WITHOUT_STORED_MAX) {
                return End.NOTHING_STORED;
            }
            ramp.measured(result.isCarried());
            next = ramp.next();
        }
        return stopped ? End.STOPPED : End.ALL_TRIED;
    }

    private static Duration settle(Duration length) {
        Duration part = length.dividedBy(4);
        return part.compareTo(SETTLE_MAX) < 0 ? part : SETTLE_MAX;
    }

    private Result run(Step step, Duration settle, Duration counted) throws InterruptedException {
        int number = results.size() + 1;
        progress.now(text("opening %,d streams", step.streams()));
        viewers.open(step.streams());
        ClientWatch watch = new ClientWatch(timer, client.workers());
        Ledger ledger =
                new Ledger(number, System.nanoTime(), step.eventsPerSecond(), settle.toNanos(), counted.toNanos());
        viewers.begin(ledger);
        ScheduledFuture<?> display = timer.scheduleAtFixedRate(
                () -> progress.now(now(step, ledger)), PROGRESS_MILLIS, PROGRESS_MILLIS, TimeUnit.MILLISECONDS);
        sender.send(ledger, watch);
        sender.awaitAnswers();
        viewers.awaitDeliveries(ledger, QUIET_MAX.toNanos());
        display.cancel(false);
        Measurement seen = ledger.measured(step, viewers.seen(), watch.end(), System.nanoTime());
        storedMessages += ledger.storedCount();
        stepsWithoutStored = ledger.storedCount() == 0 ? stepsWithoutStored + 1 : 0;
        Result result = new Result(seen, plan.goal().shortfalls(seen), stopped && plan.isRamp());
        results.add(result);
        progress.say(result.line());
        return result;
    }

    private String now(Step step, Ledger ledger) {
        long left = Math.max(0, TimeUnit.NANOSECONDS.toSeconds(ledger.end() - System.nanoTime()) + 1);
        return text(
                "%,d streams, %,.1f events/s: %,d stored, %,d delivered, %d s left",
                viewers.count(), step.eventsPerSecond(), ledger.storedCount(), ledger.deliveredCount(), left);
    }

    /** The first event tells whether the server is there and takes the key; then all conversations are started. */
    private void enter() throws BenchException, InterruptedException {
        HttpResponse<String> first;
        try {
            first = client.post(conversations.started(0)).get();
        } catch (ExecutionException e) {
            String message = e.getCause().getMessage();
            throw new BenchException("no answer from " + base + ": "
                    + e.getCause().getClass().getSimpleName() + (message == null ? "" : ": " + message));
        }
        int status = first.statusCode();
        if (status >= 300 && status < 400) {
            throw new BenchException("%s sends us elsewhere (%d to %s); name that server if it is the one to be loaded"
                    .formatted(
                            base, status, first.headers().firstValue("Location").orElse("nowhere")));
        }
        if (!BenchClient.isStored(status)) {
            throw new BenchException(base + " does not take an event: " + BenchClient.failure(first, null));
        }
        List<CompletableFuture<?>> others = new ArrayList<>();
        for (int conversation = 1; conversation < conversations.count(); conversation++) {
            others.add(client.post(conversations.started(conversation)));
        }
        await(others, BenchClient.ANSWER_MAX);
    }

    /** The conversations are completed, so that nobody takes them for live ones. */
    private void leave() throws InterruptedException {
        viewers.closeAll();
        timer.shutdownNow();
        if (!results.isEmpty()) {
            List<CompletableFuture<?>> last = new ArrayList<>();
            for (int conversation = 0; conversation < conversations.count(); conversation++) {
                last.add(client.post(conversations.completed(conversation)));
            }
            await(last, FAREWELL_MAX);
        }
        client.close();
    }

    private Report.Left left() {
        int last = conversations.count() - 1;
        return new Report.Left(conversations.id(0), conversations.id(last), conversations.count(), storedMessages);
    }

    private static void await(List<CompletableFuture<?>> answers, Duration most) throws InterruptedException {
        try {
            CompletableFuture.allOf(answers.toArray(CompletableFuture[]::new))
                    .get(most.toMillis(), TimeUnit.MILLISECONDS);
        } catch (Exception e) {
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            // The steps will tell what a server does with events.
        }
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
