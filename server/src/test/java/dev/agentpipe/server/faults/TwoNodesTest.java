package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two servers on one database, each with writers and readers: one log, the same for all. */
final class TwoNodesTest {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private TestServer a;
    private TestServer b;
    private final List<RecordingReader> readers = new ArrayList<>();

    @BeforeEach
    void start() {
        a = TestServer.start(settings -> settings.streamHeartbeat(Duration.ofMillis(100)));
        b = TestServer.on(a.databaseUrl(), settings -> settings.streamHeartbeat(Duration.ofMillis(100)));
    }

    @AfterEach
    void stop() {
        readers.forEach(RecordingReader::close);
        b.close();
        a.close();
    }

    @Test
    void readersOnBothNodes_underLoad_getOneOrderExactlyOnce() throws Exception {
        List<RecordingReader> all = List.of(
                reader("a1", a, "", null), reader("a2", a, "", null), reader("b1", b, "", null), wandering("w1"));
        List<RecordingReader> filtered = List.of(filtered("fa", a), filtered("fb", b));
        all.forEach(RecordingReader::connected);
        filtered.forEach(RecordingReader::connected);
        RecordingReader late;
        String lateFrom;
        Stored stored;
        try (Load load =
                Load.start("m", List.<Supplier<URI>>of(() -> a.uri("/"), () -> b.uri("/")), TestServer.KEY, 8)) {
            wander(load, all.get(3));
            lateFrom = all.get(0).lastId(); // of a, for b
            late = reader("late", b, "", lateFrom);
            wander(load, all.get(3));
            load.stop();
            assertEquals(0, load.refused());
            stored = Stored.read(a.connect());
            stored.assertIs(load);
        }
        List<Long> expected = stored.positions();
        for (RecordingReader reader : all) {
            assertEquals(expected, reader.awaitCount(expected.size(), PATIENCE), reader::toString);
        }
        for (RecordingReader reader : filtered) {
            List<Long> matching = stored.positions(Load.conversation(1));
            assertEquals(matching, reader.awaitCount(matching.size(), PATIENCE), reader::toString);
        }
        List<Long> afterLate = expected.stream()
                .filter(position -> position > Long.parseLong(lateFrom.split("-")[1]))
                .toList();
        assertTrue(afterLate.size() > 100 && afterLate.size() < expected.size(), "late came in the middle");
        assertEquals(afterLate, late.awaitCount(afterLate.size(), PATIENCE), late::toString);
        assertTrue(all.get(3).connections() > 10, "w1 was reconnected: " + all.get(3));
    }

    /** Cuts a reader while the load goes on, each time at another place. */
    private static void wander(Load load, RecordingReader reader) {
        for (int i = 0; i < 8; i++) {
            load.awaitMore(400);
            reader.cut();
        }
    }

    @Test
    void resume_atOtherNodeWithAnIdItHasNotSeenYet_continuesThere() throws Exception {
        for (int i = 0; i < 10; i++) {
            String seen = a.ingest(TestServer.messageBody("c", "seen-" + i, "x"))
                    .json()
                    .get("event_id")
                    .asString();
            try (RawStream stream = b.stream("/api/realtime/stream", "Last-Event-ID", seen)) {
                assertEquals(seen, RawStream.id(stream.block()));
                long next = a.message("c", "next-" + i, "x");
                assertEquals(next, RawStream.position(stream.event()));
            }
        }
    }

    private RecordingReader reader(String name, TestServer server, String query, String lastId) {
        RecordingReader reader = new RecordingReader(name, server::port, query, lastId);
        readers.add(reader);
        return reader;
    }

    private RecordingReader filtered(String name, TestServer server) {
        return reader(name, server, "?conversationId=" + Load.conversation(1), null);
    }

    /** Comes back to the other node each time. */
    private RecordingReader wandering(String name) {
        AtomicInteger times = new AtomicInteger();
        RecordingReader reader =
                new RecordingReader(name, () -> times.getAndIncrement() % 2 == 0 ? a.port() : b.port(), "", null);
        readers.add(reader);
        return reader;
    }
}
