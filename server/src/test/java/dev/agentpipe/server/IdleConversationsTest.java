package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventReader;
import dev.agentpipe.core.log.GroupCommit;
import dev.agentpipe.core.log.LogTail;
import dev.agentpipe.db.Database;
import dev.agentpipe.db.postgres.DatabaseSettings;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** On two nodes, since both look for idle conversations. */
final class IdleConversationsTest {

    private static final Duration IDLE = Duration.ofMillis(900);

    private static TestServer one;
    private static TestServer two;
    private static Stored stored;

    @BeforeAll
    static void start() {
        one = TestServer.start(settings -> settings.conversationIdleMax(IDLE));
        two = TestServer.on(one.databaseUrl(), settings -> settings.conversationIdleMax(IDLE));
        stored = new Stored(one);
    }

    @AfterAll
    static void stop() {
        stored.close();
        two.close();
        one.close();
    }

    /** Without a timestamp: it happens now. */
    private static void post(TestServer node, String type, String conversation, String members) {
        TestServer.Answer answer = node.ingest(
                "{\"type\":\"" + type + "\",\"data\":{\"conversation_id\":\"" + conversation + "\"," + members + "}}");
        assertEquals(201, answer.status(), answer::toString);
    }

    private static void message(TestServer node, String conversation) {
        post(node, "message.created", conversation, "\"agent_type\":\"claude\",\"content\":\"x\"");
    }

    private static String status(String conversation) {
        return stored.row("conversations", "id = ?", conversation).get("status").stringValue();
    }

    private static long interruptions(String conversation) {
        return stored.count("events", "type = 'conversation.interrupted' and conversation_id = ?", conversation);
    }

    @Test
    void conversation_idle_isInterruptedOnceForAllNodesAndReopenedByAMessage() throws IOException {
        try (RawStream stream = two.stream("/api/stream?conversationId=idle&types=conversation.interrupted")) {
            stream.block();
            message(one, "idle");

            JsonNode event = JsonMapper.shared().readTree(RawStream.data(stream.event()));
            assertEquals("conversation.interrupted", event.get("type").stringValue());
            assertEquals(
                    "{\"conversation_id\":\"idle\",\"reason\":\"idle\"}",
                    event.get("data").toString());
            assertEquals("INTERRUPTED", status("idle"));

            message(two, "idle");
            assertEquals("ACTIVE", status("idle"));

            assertTrue(stream.event().contains("\"reason\":\"idle\""), "and closed again");
        }
        // By then both nodes have looked several times.
        message(one, "later");
        Await.until("closed", () -> status("later").equals("INTERRUPTED"));
        assertEquals(2, interruptions("idle"));
        assertEquals(1, interruptions("later"));
    }

    @Test
    void conversation_withLogEntries_isNotIdle() {
        message(one, "logging");
        message(one, "silent");
        for (int i = 0; status("silent").equals("ACTIVE"); i++) {
            post(one, "log.entry", "logging", "\"level\":\"info\",\"content\":\"" + i + "\"");
            assertTrue(i < 100_000, "never closed");
        }
        assertEquals("ACTIVE", status("logging"));
        Await.until("closed at last", () -> status("logging").equals("INTERRUPTED"));
    }

    @Test
    void conversation_thatEnded_isLeftAlone() {
        message(one, "ended");
        post(one, "conversation.completed", "ended", "\"status\":\"completed\"");
        message(one, "after");
        Await.until("closed", () -> status("after").equals("INTERRUPTED"));

        assertEquals("COMPLETED", status("ended"));
        assertEquals(0, interruptions("ended"));
    }

    /** Two nodes that find it at the same moment, which the test above meets only by chance. */
    @Test
    void conversation_foundByTwoNodesAtOnce_getsTheSameEvent() {
        try (TestServer server = TestServer.start();
                Stored found = new Stored(server);
                Database database =
                        Database.open(DatabaseSettings.of(server.databaseUrl(), null, 1, 4, Duration.ofSeconds(10)))) {
            message(server, "twice");
            GroupCommit first = looking(database);
            GroupCommit second = looking(database);
            first.start().close();
            second.start().close();

            JsonNode message = found.row("events", "type = 'message.created'");
            JsonNode interruption = found.row("events", "type = 'conversation.interrupted'");
            assertEquals(
                    time(message, "received_at").plusMillis(1),
                    time(interruption, "event_at"),
                    "the last arrival and the limit make the time");
        }
    }

    /** With a look that has found one, and is not written yet. */
    private static GroupCommit looking(Database database) {
        LogTail tail = new LogTail(database.eventLog(), 0, Duration.ofMinutes(1), (records, through) -> {});
        GroupCommit groupCommit = new GroupCommit(database.eventLog(), tail, GroupCommit.Limits.DEFAULT);
        EventReader reader = new EventReader(EventLimits.DEFAULT, Clock.systemUTC());
        IdleConversations idle = new IdleConversations(database, reader, groupCommit, Duration.ofMillis(1));
        Await.until("found", () -> {
            idle.close();
            return groupCommit.queuedEvents() == 1;
        });
        return groupCommit;
    }

    private static Instant time(JsonNode row, String column) {
        return OffsetDateTime.parse(row.get(column).stringValue()).toInstant();
    }
}
