package dev.agentpipe.server.bench.load;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Await;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.bench.load.IngestPlan.Body;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The load client against a real server: what it says was done has been done. */
final class LoadTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** Ended earlier, by the number of requests. */
    private static final Duration LONG = Duration.ofSeconds(20);

    private static TestServer server;
    private final Messages messages = new Messages();

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private IngestResult ingest(IngestPlan plan) throws IOException, InterruptedException {
        return IngestLoad.run(server.port(), TestServer.KEY, messages.copy(), plan);
    }

    private long stored(String what) throws SQLException {
        String like = messages.conversationId(0).substring(0, 13) + "%";
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select count(" + what + ") from messages where conversation_id like '" + like + "'")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private boolean storedSome(long before) {
        try {
            return stored("*") > before;
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void closedLoad_storesWhatItSaysAndEachConnectionHasItsConversation() throws Exception {
        IngestResult result = ingest(IngestPlan.closed(5, LONG).withRequestsMax(200));

        assertEquals(Map.of(201, 200L), result.statuses());
        assertTrue(result.isComplete());
        assertEquals(200, result.latencies().getTotalCount());
        assertEquals(200, stored("*"));
        assertEquals(5, stored("distinct conversation_id"));
    }

    @Test
    void openLoad_sendsAtItsRate() throws Exception {
        IngestResult result =
                ingest(IngestPlan.open(4, 500, LONG).withConversations(10).withRequestsMax(100));

        assertTrue(result.isComplete());
        assertEquals(100, stored("*"));
        assertEquals(10, stored("distinct conversation_id"));
        assertTrue(result.seconds() >= 99 / 500.0, "not faster than it should: " + result.seconds());
    }

    @Test
    void load_interrupted_endsWithWhatItHasDone() throws Exception {
        for (IngestPlan plan :
                List.of(IngestPlan.open(2, 50, Duration.ofHours(1)), IngestPlan.closed(2, Duration.ofHours(1)))) {
            long before = stored("*");
            FutureTask<IngestResult> load = new FutureTask<>(() -> ingest(plan));
            Thread thread = new Thread(load);
            thread.start();
            Await.until("the load has begun", () -> storedSome(before));

            thread.interrupt();

            IngestResult result = load.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertTrue(result.isComplete());
            assertEquals(result.events(), stored("*") - before);
        }
    }

    @Test
    void batches_areCountedByEvents() throws Exception {
        for (Body body : List.of(Body.ARRAY, Body.LINES)) {
            long before = stored("*");
            IngestResult result =
                    ingest(IngestPlan.batches(2, body, 300, LONG).withRequestsMax(6)); // beyond a socket's buffer

            assertEquals(1_800, result.acknowledged(), body.name());
            assertTrue(result.isComplete());
            assertEquals(1_800, stored("*") - before);
        }
    }

    @Test
    void requestsThatAreRefused_areNoSuccess() throws Exception {
        IngestResult result = IngestLoad.run(
                server.port(),
                "ap_test_wrong",
                messages,
                IngestPlan.closed(2, LONG).withRequestsMax(10));

        assertEquals(Map.of(401, 10L), result.statuses());
        assertFalse(result.isComplete());
        assertEquals(0, result.latencies().getTotalCount());
    }

    @Test
    void streams_haveEachEventOnceAndInOrder() throws Exception {
        try (StreamLoad all = StreamLoad.start(server.port(), messages, StreamPlan.all(20));
                StreamLoad own = StreamLoad.start(server.port(), messages, StreamPlan.ofOneEach(10))) {
            all.awaitGreetings(PATIENCE);
            own.awaitGreetings(PATIENCE);
            Deliveries byAll = all.count();
            Deliveries byOwn = own.count();

            IngestResult sent =
                    ingest(IngestPlan.closed(4, LONG).withConversations(10).withRequestsMax(300));

            assertTrue(all.awaitDeliveries(byAll, 20 * 300, PATIENCE), () -> byAll.total() + " deliveries");
            assertTrue(own.awaitDeliveries(byOwn, 300, PATIENCE), () -> byOwn.total() + " deliveries");
            all.stopCounting();
            own.stopCounting();
            assertEquals(0, byAll.incomplete(sent.firstEvent(), 300, 20));
            assertEquals(0, byOwn.incomplete(sent.firstEvent(), 300, 1));
            assertEquals(1, byOwn.incomplete(sent.firstEvent(), 301, 1), "one was not sent");
            assertEquals(List.of(), all.problems());
            assertEquals(List.of(), own.problems());
            assertTrue(byAll.lastOfMillis(20, 50) >= byAll.delayMillis(1), "the last has it after the first");
        }
    }

    @Test
    void streamsThatResume_haveWhatTheyMissed() throws Exception {
        String id;
        try (StreamLoad one = StreamLoad.start(server.port(), messages, StreamPlan.all(1))) {
            id = one.awaitGreetings(PATIENCE).firstId();
        }
        ingest(IngestPlan.batches(1, Body.ARRAY, 100, LONG).withRequestsMax(3));

        StreamPlan plan = StreamPlan.all(5).after(id);
        try (StreamLoad back = StreamLoad.start(server.port(), messages, plan, 300)) {
            assertTrue(back.awaitEvents(PATIENCE));
            assertEquals(List.of(), back.problems());
        }
        assertTrue(Resume.firstEventMillis(server.port(), messages, id, 0) > 0);
    }

    @Test
    void badReaders_areOnesThatTheServerSees() throws Exception {
        try (BadReaders bad = new BadReaders(server.port(), 4);
                StreamLoad good = StreamLoad.start(server.port(), messages, StreamPlan.all(3))) {
            Deliveries counted = good.awaitGreetings(PATIENCE).count();

            ingest(IngestPlan.batches(1, Body.ARRAY, 500, LONG).withRequestsMax(2));

            assertTrue(good.awaitDeliveries(counted, 3_000, PATIENCE));
            assertEquals(0, bad.disconnected(), "not after so short a time");
        }
    }
}
