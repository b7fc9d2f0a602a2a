package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.broadcast.Broadcaster;
import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.log.Appended;
import dev.agentpipe.core.log.EventLog;
import dev.agentpipe.core.log.LogState;
import dev.agentpipe.core.log.MemoryEventLog;
import dev.agentpipe.core.log.TestEvents;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams that resume where the log begins, before it, and where it begins no longer. */
final class StreamRetentionTest {

    private static final int EVENTS = 2_000;

    private final MemoryEventLog memory = new MemoryEventLog("test", 10_000);
    private final TrimmedLog log = new TrimmedLog();
    private BareServer server;

    /** With hardly any room for events in memory, so readers that resume must read the log. */
    @BeforeEach
    void start() {
        memory.append(TestEvents.messages("c", "m", EVENTS));
        server = new BareServer(log, memory.state(), HttpServer.Limits.DEFAULT, new Broadcaster.Limits(16, 1 << 20));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private RawStream resume(String id) throws IOException {
        return RawStream.open(server.port(), "HTTP/1.1", "/stream", "Last-Event-ID", id);
    }

    @Test
    void id_beforeTheOldest_isReset() throws IOException {
        memory.trim(500);
        try (RawStream stream = resume("test-499")) {
            String reset = stream.block();

            assertEquals("reset", RawStream.field(reset, "event"));
            assertEquals(
                    "{\"reason\":\"not_retained\",\"requested\":\"test-499\",\"oldest\":\"test-500\","
                            + "\"latest\":\"test-2000\"}",
                    RawStream.data(reset));
        }
    }

    @Test
    void id_atTheOldest_isResumed() throws IOException {
        memory.trim(500);
        try (RawStream stream = resume("test-500")) {
            assertEquals("test-500", RawStream.id(stream.block()));
            for (int position = 501; position <= EVENTS; position++) {
                assertEquals(position, RawStream.position(stream.event()));
            }
        }
    }

    @Test
    void eventsThatGoWhileAReaderComesForThem_endItsStreamAndResetTheNext() throws IOException {
        log.trimBeforeReadAfter(512, 1_900);
        String last;
        try (RawStream stream = resume("test-0")) {
            last = RawStream.id(stream.block());
            String block = stream.block();
            for (int position = 1; RawStream.id(block) != null; position++) {
                assertEquals(position, RawStream.position(block), "nothing is skipped");
                last = RawStream.id(block);
                block = stream.block();
            }
            assertTrue(block.matches("retry: \\d+\n\n"), block);
            assertNull(stream.block(), "an orderly end");
        }
        assertEquals("test-512", last);
        try (RawStream stream = resume(last)) {
            String reset = stream.block();
            assertEquals("reset", RawStream.field(reset, "event"));
            assertTrue(RawStream.data(reset).contains("\"oldest\":\"test-1900\""), reset);
        }
    }

    /** In memory; loses its beginning before a certain read. */
    private final class TrimmedLog implements EventLog {
        private long trimmedAfter = -1;
        private long trimThrough;

        synchronized void trimBeforeReadAfter(long after, long through) {
            trimmedAfter = after;
            trimThrough = through;
        }

        @Override
        public synchronized Page read(long after, long upTo, EventFilter filter, int recordsMax, int bytesMax) {
            if (after == trimmedAfter) {
                memory.trim(trimThrough);
            }
            return memory.read(after, upTo, filter, recordsMax, bytesMax);
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
        public long beforeLast(int count, EventFilter filter) {
            return memory.beforeLast(count, filter);
        }
    }
}
