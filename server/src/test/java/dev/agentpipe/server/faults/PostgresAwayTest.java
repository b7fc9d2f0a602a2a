package dev.agentpipe.server.faults;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.local.ControlledPostgres;
import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * PostgreSQL is away, in all the ways there are, under load: each request is refused within 2 s, health says so, streams
 * stay open, and once it is back all goes on by itself, with nothing lost. {@code -Dfaults.away.seconds=20} makes it last.
 */
final class PostgresAwayTest {

    private static final Duration LONG = Duration.ofSeconds(Integer.getInteger("faults.away.seconds", 5));
    private static final Duration BRIEF = Duration.ofSeconds(1);
    private static final Duration REFUSED_WITHIN = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static ControlledPostgres postgres;

    private TestServer server;
    private RecordingReader reader;
    private Load load;
    private int sent;
    private boolean readable;

    @BeforeAll
    static void startPostgres() {
        postgres = ControlledPostgres.start(Map.of());
    }

    @AfterAll
    static void stopPostgres() {
        postgres.close();
    }

    @BeforeEach
    void start() {
        server = TestServer.on(postgres.newDatabase(), settings -> settings.streamHeartbeat(Duration.ofMillis(200)));
        reader = new RecordingReader("reader", server::port, "", null).connected();
        load = Load.start("m", List.<Supplier<URI>>of(() -> server.uri("/")), TestServer.KEY, 4);
        load.awaitMore(200);
        Await.until("healthy", PATIENCE, () -> health() == 200);
    }

    @AfterEach
    void stop() {
        load.close();
        reader.close();
        server.close();
    }

    @Test
    void stoppedAndStarted_refusesMeanwhileAndGoesOn() throws Exception {
        away(LONG, postgres::stop, postgres::start);
    }

    @Test
    void frozenAndThawed_refusesMeanwhileAndGoesOn() throws Exception {
        away(LONG, postgres::freeze, postgres::thaw);
    }

    @Test
    void outOfConnections_refusesMeanwhileAndGoesOn() throws Exception {
        away(
                BRIEF,
                () -> {
                    postgres.execute("alter role agentpipe connection limit 0");
                    postgres.cutConnections();
                },
                () -> postgres.execute("alter role agentpipe connection limit -1"));
    }

    @Test
    void readOnly_refusesMeanwhileAndGoesOn() throws Exception {
        readable = true;
        away(BRIEF, () -> readOnly("on"), () -> readOnly("off"));
    }

    private static void readOnly(String value) {
        postgres.execute("alter system set default_transaction_read_only = " + value);
        postgres.execute("select pg_reload_conf()");
    }

    private void away(Duration time, Runnable leave, Runnable comeBack) throws Exception {
        leave.run();
        try {
            Await.until("refusals", PATIENCE, () -> load.refused() > 0);
            Await.until("unhealthy", Duration.ofSeconds(5), () -> health() == 503);
            stayAway(time);
        } finally {
            comeBack.run();
        }

        Await.until("healthy", PATIENCE, () -> health() == 200);
        load.awaitMore(200);
        load.stop();
        assertTrue(load.slowest().compareTo(REFUSED_WITHIN) < 0, "the slowest took " + load.slowest());
        load.resend(() -> server.uri("/"));
        Stored stored = Stored.read(server.connect());
        stored.assertIs(load);
        assertEquals(stored.positions(), reader.awaitCount(stored.positions().size(), PATIENCE), reader::toString);
        assertEquals(1, reader.connections(), "its stream stayed open");
    }

    private void stayAway(Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        int heartbeats = reader.heartbeats();
        do {
            assertRefusedAtOnce();
            assertEquals(503, health());
            assertEquals(200, server.get("/api/health/live").status());
            if (!readable) {
                assertReplayIsPutOff();
            }
        } while (System.nanoTime() - end < 0);
        assertTrue(reader.heartbeats() - heartbeats >= time.toMillis() / 400, "heartbeats go on: " + reader);
        assertEquals(1, reader.connections(), "its stream stays open");
    }

    private void assertRefusedAtOnce() {
        long start = System.nanoTime();
        Answer answer = server.ingest(TestServer.messageBody("probe", "probe-" + sent++, "x"));
        long millis = (System.nanoTime() - start) / 1_000_000;
        assertEquals(503, answer.status(), answer::toString);
        assertEquals("database_unavailable", answer.json().get("code").asString());
        assertTrue(Integer.parseInt(answer.header("Retry-After")) >= 1);
        assertTrue(millis < 500, "refused after " + millis + " ms");
    }

    /** One that needs the log: EventSource is told to come back; whoever else asks gets a 503. */
    private void assertReplayIsPutOff() throws Exception {
        String path = "/api/realtime/stream?replay=10";
        long start = System.nanoTime();
        try (RawStream stream = server.stream(path)) {
            assertEquals(503, stream.status());
        }
        try (RawStream stream = server.stream(path, "Accept", "text/event-stream")) {
            assertEquals(200, stream.status());
            assertEquals("overloaded", RawStream.field(stream.block(), "event"));
        }
        assertTrue(System.nanoTime() - start < 2 * REFUSED_WITHIN.toNanos(), "put off in time");
    }

    private int health() {
        return server.get("/api/health").status();
    }
}
