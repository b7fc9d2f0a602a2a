package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.xnio.XnioWorker;

final class PulseTest {

    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(50);

    @Test
    void silent_namesTheThreadsThatTakeNoTask() throws Exception {
        XnioWorker worker = HttpServer.worker();
        CountDownLatch hanging = new CountDownLatch(1);
        try (Housekeeping housekeeping = new Housekeeping()) {
            Pulse pulse = new Pulse(worker, housekeeping);
            assertEquals(List.of(), pulse.silent(LONG));

            List<String> hung =
                    Stream.of("housekeeping", hang(worker, hanging)).sorted().toList();
            housekeeping.soon(() -> await(hanging));
            assertEquals(hung, pulse.silent(SHORT));

            hanging.countDown();
            assertEquals(List.of(), pulse.silent(LONG));
        } finally {
            hanging.countDown();
            HttpServer.stop(worker);
        }
    }

    /** Returns its name. */
    private static String hang(XnioWorker worker, CountDownLatch until) {
        worker.getIoThread(worker.getIoThreadCount() - 1).execute(() -> await(until));
        return worker.getIoThread(worker.getIoThreadCount() - 1).getName();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
