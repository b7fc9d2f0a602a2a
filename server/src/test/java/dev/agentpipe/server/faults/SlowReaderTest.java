package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Readers that read slowly, or not at all, while much passes by: nobody else notices, and they miss nothing. */
final class SlowReaderTest {

    private static final String STREAM = "/api/realtime/stream";
    private static final Duration LATE = Duration.ofSeconds(2);
    private static final String CONTENT = "x".repeat(100_000);

    private TestServer server;
    private RecordingReader quick;
    private final List<Long> positions = new ArrayList<>();

    private void start(Duration stallMax) {
        server = TestServer.start(settings -> settings.streamStallMax(stallMax));
        quick = new RecordingReader("quick", server::port, "", null).connected();
    }

    @AfterEach
    void stop() {
        quick.close();
        server.close();
    }

    @Test
    void readerThatStops_delaysNobodyAndIsDisconnectedAfterTheStallLimit() throws Exception {
        Duration stallMax = Duration.ofSeconds(3);
        start(stallMax);
        try (RawStream stopped = open()) {
            long start = System.nanoTime();
            pass(220);
            Await.until("disconnected", Duration.ofSeconds(10), () -> {
                boolean ended = streams() == 1;
                long millis = (System.nanoTime() - start) / 1_000_000;
                assertTrue(!ended || millis >= stallMax.toMillis(), "already after " + millis + " ms");
                return ended;
            });
            assertEquals(1, stream().at("/ended/stalled").asInt());
            assertRestByResume(stopped);
        }
        assertEquals(positions, quick.received());
    }

    /** What it got until it was cut is the beginning of all, and resuming after it gives the rest. */
    private void assertRestByResume(RawStream cut) throws IOException {
        List<Long> received = new ArrayList<>();
        String lastId = null;
        try {
            for (String block = cut.block(); ; block = cut.block()) {
                assertNotNull(block, "it was not ended in order");
                lastId = RawStream.id(block);
                if (!block.startsWith("retry: ")) {
                    received.add(RawStream.position(block));
                }
            }
        } catch (IOException expected) {
            // In the middle of a frame, most likely.
        }
        assertTrue(received.size() < positions.size(), "its buffers took everything");
        try (RawStream again = server.stream(STREAM, "Last-Event-ID", lastId)) {
            again.block();
            while (received.size() < positions.size()) {
                received.add(RawStream.position(again.event()));
            }
        }
        assertEquals(positions, received);
    }

    /** More passes by than the window of 48 MB holds. */
    @Test
    void readerThatStopsForAWhile_getsEverythingThroughLogAndWindow() throws Exception {
        start(Duration.ofMinutes(1));
        try (RawStream paused = open()) {
            pass(550);
            assertReceivesAll(paused);
        }
        assertEquals(positions, quick.received());
    }

    @Test
    void readerByTheByte_getsEverything() throws Exception {
        start(Duration.ofSeconds(10));
        try (RawStream slow = RawStream.open(new TrickleSocket(300_000), server.port(), "HTTP/1.1", STREAM)) {
            slow.block();
            pass(50);
            assertReceivesAll(slow);
        }
    }

    private void assertReceivesAll(RawStream stream) throws IOException {
        for (long position : positions) {
            String block = stream.event();
            assertEquals(position, RawStream.position(block));
            assertTrue(block.length() > CONTENT.length());
        }
        positions.add(server.message("c", "last", "x"));
        assertEquals(positions.get(positions.size() - 1), RawStream.position(stream.event()));
        quick.awaitCount(positions.size(), LATE);
    }

    private RawStream open() throws IOException {
        RawStream stream = RawStream.open(new TrickleSocket(0), server.port(), "HTTP/1.1", STREAM);
        stream.block();
        return stream;
    }

    /** Lets so many events of 100 kB pass by, each in time for the quick reader. */
    private void pass(int events) {
        for (int i = 0; i < events; i++) {
            positions.add(server.message("c", "m" + i, CONTENT));
            quick.awaitCount(positions.size(), LATE);
        }
    }

    private int streams() {
        return stream().get("connections").asInt();
    }

    private JsonNode stream() {
        return server.get("/api/health").json().at("/checks/stream");
    }
}
