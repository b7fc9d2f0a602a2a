package dev.agentpipe.core.broadcast;

import dev.agentpipe.core.Telemetry;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.log.LogRecord;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;

/** A lane on a loop, a clock and a log that the test holds in its hands. */
final class LaneFixture {

    static final int PERMITS = 2;
    static final Duration SLICE = Duration.ofMillis(1);

    final ManualLoop loop = new ManualLoop();
    final RecordedLog log = new RecordedLog();
    final HeldExecutor workers = new HeldExecutor();
    final Broadcaster broadcaster;
    final Lane lane;
    final List<Duration> delays = new ArrayList<>();
    final List<Duration> lives = new ArrayList<>();
    int pages;
    private final Telemetry telemetry = new Telemetry() {
        @Override
        public void broadcast(long delayNanos) {
            delays.add(Duration.ofNanos(delayNanos));
        }

        @Override
        public void pageRead(int records, long tookNanos) {
            pages++;
        }

        @Override
        public void ended(long openNanos) {
            lives.add(Duration.ofNanos(openNanos));
        }
    };
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // nanoTime may wrap at any time
    private long head;

    LaneFixture(int windowFrames, Duration heartbeat, Duration stall) {
        TextWire wire = new TextWire();
        broadcaster = new Broadcaster(wire::frame, 0, new Broadcaster.Limits(windowFrames, 1 << 20), telemetry);
        Replays replays = new Replays(log, wire, workers, PERMITS, telemetry);
        lane = new Lane(broadcaster, wire, replays, loop, new Lane.Limits(heartbeat, stall, SLICE), nanos::get);
    }

    /** Runs what is given at once, or when it is let go. */
    static final class HeldExecutor implements Executor {
        private final Queue<Runnable> held = new ArrayDeque<>();
        private boolean holding;

        @Override
        public void execute(Runnable task) {
            if (holding) {
                held.add(task);
            } else {
                task.run();
            }
        }

        void hold() {
            holding = true;
        }

        void letGo() {
            holding = false;
            while (!held.isEmpty()) {
                held.remove().run();
            }
        }
    }

    long head() {
        return head;
    }

    FakeOutlet attach(EventFilter filter, int form, long after) {
        return attach(filter, form, after, Duration.ZERO);
    }

    FakeOutlet attach(EventFilter filter, int form, long after, Duration ageMax) {
        FakeOutlet outlet = new FakeOutlet();
        attach(outlet, filter, form, after, ageMax);
        return outlet;
    }

    Subscription attach(FakeOutlet outlet, EventFilter filter, int form, long after, Duration ageMax) {
        Subscription subscription = new Subscription(filter, form, outlet, after, ageMax);
        subscriptions.add(subscription);
        outlets.add(outlet);
        lane.attach(subscription);
        loop.runUntilIdle();
        return subscription;
    }

    private final List<Subscription> subscriptions = new ArrayList<>();
    private final List<FakeOutlet> outlets = new ArrayList<>();

    /** So many events, appended one by one, before the lane comes to run. */
    void publish(int count) {
        publishWithoutRunning(count);
        loop.runUntilIdle();
    }

    void publish(String conversationId, EventType type) {
        add(List.of("p"), conversationId, type);
        loop.runUntilIdle();
    }

    void publishInOne(List<String> payloads, String conversationId) {
        add(payloads, conversationId, EventType.MESSAGE_CREATED);
        loop.runUntilIdle();
    }

    void publishWithoutRunning(int count) {
        for (int i = 0; i < count; i++) {
            add(List.of("p"), "c", EventType.MESSAGE_CREATED);
        }
    }

    void addWithoutRunning(List<String> payloads, String conversationId) {
        add(payloads, conversationId, EventType.MESSAGE_CREATED);
    }

    private void add(List<String> payloads, String conversationId, EventType type) {
        List<LogRecord> records = new ArrayList<>();
        for (String payload : payloads) {
            records.add(new LogRecord(++head, type, conversationId, payload.getBytes(StandardCharsets.UTF_8)));
        }
        log.add(records);
        broadcaster.advanced(records, head, nanos.get());
    }

    /** Gives a blocked connection room, bit by bit, until nothing waits for it. */
    void drainAll(FakeOutlet outlet, int step) {
        Subscription subscription = subscriptions.get(outlets.indexOf(outlet));
        for (int i = 0; outlet.wantsWritable; i++) {
            if (i > 100_000) {
                throw new AssertionError("never has enough");
            }
            outlet.wantsWritable = false;
            outlet.room = step;
            lane.writable(subscription);
            loop.runUntilIdle();
        }
        outlet.room = Long.MAX_VALUE;
    }

    void tick(Duration later) {
        pass(later);
        loop.runUntilIdle();
        lane.tick();
        loop.runUntilIdle();
    }

    void tickWithoutRunning(Duration later) {
        pass(later);
        lane.tick();
    }

    void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    /** A reader whose every write takes that long. */
    FakeOutlet attachWithCost(EventFilter filter, long after, Duration cost) {
        FakeOutlet outlet = attach(filter, 0, after);
        outlet.onWrite = () -> pass(cost);
        return outlet;
    }

    static List<Long> range(long from, long to) {
        return LongStream.rangeClosed(from, to).boxed().toList();
    }
}
