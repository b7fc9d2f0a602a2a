package dev.agentpipe.server.faults;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Waits for a condition, with a deadline. */
final class Await {

    private static final long LOOK_NANOS = 2_000_000;

    private Await() {}

    static void until(String what, Duration patience, BooleanSupplier condition) {
        until(() -> what, patience, condition);
    }

    /** @param what what is waited for, as it is when the deadline has passed */
    static void until(Supplier<String> what, Duration patience, BooleanSupplier condition) {
        long deadline = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("not within " + patience.toMillis() + " ms: " + what.get());
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }
}
