package dev.agentpipe.core.broadcast;

import java.util.ArrayDeque;
import java.util.Queue;

/** A loop that runs when the test says so: all that is queued, then the rest as an event loop would after its select. */
final class ManualLoop implements Loop {

    private final Queue<Runnable> now = new ArrayDeque<>();
    private final Queue<Runnable> later = new ArrayDeque<>();

    @Override
    public synchronized void execute(Runnable task) {
        now.add(task);
    }

    @Override
    public synchronized void executeLater(Runnable task) {
        later.add(task);
    }

    /** One turn: all queued tasks, then those that wanted to wait for the next turn are queued. */
    boolean turn() {
        boolean worked = false;
        for (Runnable task = poll(); task != null; task = poll()) {
            task.run();
            worked = true;
        }
        synchronized (this) {
            now.addAll(later);
            later.clear();
            return worked || !now.isEmpty();
        }
    }

    void runUntilIdle() {
        for (int turns = 0; turn(); turns++) {
            if (turns > 100_000) {
                throw new AssertionError("the loop does not come to rest");
            }
        }
    }

    private synchronized Runnable poll() {
        return now.poll();
    }
}
