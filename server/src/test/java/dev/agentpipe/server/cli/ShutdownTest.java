package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class ShutdownTest {

    private static final Duration LONG = Duration.ofMinutes(1);

    private final BlockingQueue<String> seen = new LinkedBlockingQueue<>();

    @Test
    void run_serverCloses_endsWithZeroAfterwards() {
        shutdown(LONG, () -> seen.add("closed")).run();

        assertEquals(List.of("closed", "halt 0"), List.copyOf(seen));
    }

    @Test
    void run_serverCannotClose_endsWithOne() {
        Shutdown shutdown = shutdown(LONG, () -> {
            throw new IllegalStateException("for the test");
        });

        shutdown.run();

        assertEquals(List.of("halt 1"), List.copyOf(seen));
    }

    @Test
    void run_serverHangs_endsWithOneAtTheDeadline() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        Thread thread = new Thread(shutdown(Duration.ofMillis(50), hanging::await)::run);
        thread.start();

        assertEquals("halt 1", seen.poll(10, TimeUnit.SECONDS));

        hanging.countDown();
        thread.join(10_000);
    }

    @Test
    void run_whileStarting_closesOnceStarted() throws Exception {
        Shutdown shutdown = new Shutdown(LONG, this::halted);
        Thread thread = new Thread(shutdown::run);
        thread.start();
        assertNull(seen.poll(50, TimeUnit.MILLISECONDS));

        shutdown.started(() -> seen.add("closed"));

        thread.join(10_000);
        assertEquals(List.of("closed", "halt 0"), List.copyOf(seen));
    }

    @Test
    void run_startFailed_endsWithOne() {
        Shutdown shutdown = new Shutdown(LONG, this::halted);
        shutdown.notStarted();

        shutdown.run();

        assertEquals(List.of("halt 1"), List.copyOf(seen));
    }

    private Shutdown shutdown(Duration deadline, AutoCloseable server) {
        Shutdown shutdown = new Shutdown(deadline, this::halted);
        shutdown.started(server);
        return shutdown;
    }

    private void halted(int status) {
        seen.add("halt " + status);
    }
}
