package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
        new Shutdown(() -> seen.add("closed"), LONG, this::halted).run();

        assertEquals(List.of("closed", "halt 0"), List.copyOf(seen));
    }

    @Test
    void run_serverCannotClose_endsWithOne() {
        Shutdown shutdown = new Shutdown(
                () -> {
                    throw new IllegalStateException("for the test");
                },
                LONG,
                this::halted);

        shutdown.run();

        assertEquals(List.of("halt 1"), List.copyOf(seen));
    }

    @Test
    void run_serverHangs_endsWithOneAtTheDeadline() throws Exception {
        CountDownLatch hanging = new CountDownLatch(1);
        Thread thread = new Thread(new Shutdown(hanging::await, Duration.ofMillis(50), this::halted)::run);
        thread.start();

        assertEquals("halt 1", seen.poll(10, TimeUnit.SECONDS));

        hanging.countDown();
        thread.join(10_000);
    }

    private void halted(int status) {
        seen.add("halt " + status);
    }
}
