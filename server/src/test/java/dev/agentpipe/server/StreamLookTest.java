package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.LogUnavailableException;
import dev.agentpipe.core.log.MemoryEventLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams that must look into the log before they begin, with a log that lets them down. */
final class StreamLookTest {

    private static final long IN_TIME_MILLIS = 2_000;

    private final MemoryEventLog memory = new MemoryEventLog(10);
    private final CountDownLatch hanging = new CountDownLatch(1);
    private BareServer server;

    private void start(Runnable beforeLook) {
        server = new BareServer(new BadLog(beforeLook), memory.state(), HttpServer.Limits.DEFAULT);
    }

    @AfterEach
    void stop() {
        hanging.countDown();
        server.close();
    }

    @Test
    void look_logAway_isPutOff() throws Exception {
        start(() -> {
            throw new LogUnavailableException("for the test", null);
        });
        assertPutOff(503);
    }

    @Test
    void look_logFails_isAnsweredAndGivesItsPlaceBack() throws Exception {
        start(() -> {
            throw new IllegalStateException("for the test");
        });
        assertPutOff(500);
    }

    @Test
    void look_logHangs_isPutOffInTime() throws Exception {
        start(() -> await(hanging));
        assertPutOff(503);
    }

    @Test
    void look_logHangsForManyMoreThanThereAreWorkers_allArePutOffInTime() throws Exception {
        start(() -> await(hanging));
        List<CompletableFuture<Void>> readers = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            CompletableFuture<Void> reader = new CompletableFuture<>();
            readers.add(reader);
            new Thread(() -> reader.completeAsync(() -> putOff(503), Runnable::run)).start();
        }
        for (CompletableFuture<Void> reader : readers) {
            reader.get(20, TimeUnit.SECONDS);
        }
    }

    @Test
    void reader_whoMayNotReadAnyMoreOnceItIsAttached_isEndedAtOnce() throws Exception {
        start(() -> {});
        try (RawStream open = RawStream.open(server.port(), "HTTP/1.1", "/forbidden")) {
            open.block();
            assertTrue(open.block().startsWith("retry: "));
            assertNull(open.block());
        }
    }

    private void assertPutOff(int status) throws IOException {
        try (RawStream open = RawStream.open(server.port(), "HTTP/1.1", "/stream")) {
            open.block();
            putOff(status);
            assertEquals(1, server.streams(), "it has given its place back");
        }
    }

    /** EventSource gives up for good on any status but 200. */
    private Void putOff(int status) {
        long start = System.nanoTime();
        try (RawStream script = RawStream.open(server.port(), "HTTP/1.1", "/stream?replay=1")) {
            assertEquals(status, script.status());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertTrue(millis < IN_TIME_MILLIS, "after " + millis + " ms");
        try (RawStream browser =
                RawStream.open(server.port(), "HTTP/1.1", "/stream?replay=1", "Accept", "text/event-stream")) {
            assertEquals(200, browser.status());
            assertEquals("overloaded", RawStream.field(browser.block(), "event"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return null;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** In memory; does something before it looks. */
    private final class BadLog implements EventLog {
        private final Runnable beforeLook;

        BadLog(Runnable beforeLook) {
            this.beforeLook = beforeLook;
        }

        @Override
        public long beforeLast(int count, EventFilter filter) {
            beforeLook.run();
            return memory.beforeLast(count, filter);
        }

        @Override
        public LogState state() {
            return memory.state();
        }

        @Override
        public Appended append(List<Event> events) {
            return memory.append(events);
        }

        @Override
        public Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
            return memory.read(after, upTo, filter, recordsMax, bytesMax);
        }
    }
}
