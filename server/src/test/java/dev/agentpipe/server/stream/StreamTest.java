package dev.agentpipe.server.stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawStream;
import dev.agentpipe.server.TestServer;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamTest {

    private static final String STREAM = "/api/realtime/stream";

    @AutoClose
    private static final TestServer server = TestServer.start();

    private static String epoch() throws IOException {
        try (RawStream stream = server.stream(STREAM)) {
            String id = RawStream.id(stream.block());
            return id.substring(0, id.lastIndexOf('-'));
        }
    }

    /** A conversation of its own for each test, so that they can share a server. */
    private static String conversation(String name) {
        return name + "-" + System.nanoTime();
    }

    @Test
    void stream_opened_beginsWithRetryIdAndConnected() throws IOException {
        try (RawStream stream = server.stream(STREAM)) {
            String greeting = stream.block();

            assertEquals(200, stream.status());
            assertTrue(stream.head().contains("\r\nContent-Type: text/event-stream; charset=utf-8\r\n"), stream.head());
            assertTrue(stream.head().contains("\r\nCache-Control: no-cache, no-transform\r\n"), stream.head());
            assertTrue(stream.head().contains("\r\nX-Accel-Buffering: no\r\n"), stream.head());
            assertTrue(stream.head().contains("\r\nX-Request-Id: "), stream.head());
            assertFalse(stream.head().contains("\r\nConnection: close\r\n"), stream.head());
            assertTrue(
                    greeting.matches("retry: \\d{4}\nid: [a-z0-9]+-\\d+\ndata: \\{\"type\":\"connected\","
                            + "\"timestamp\":\"[^\"]+Z\",\"message\":\"[^\"]+\"}\n\n"),
                    greeting);
            int retry = Integer.parseInt(RawStream.field(greeting, "retry"));
            assertTrue(retry >= 2_000 && retry <= 7_000, greeting);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"HTTP/1.1", "HTTP/1.0"})
    void event_anyContent_isOneExactBlock(String version) throws IOException {
        String conversation = conversation("exact");
        // A line feed between tokens, escapes in strings, U+2028 and U+2029, a raw U+0085, emoji, and CR LF.
        String body = "{\"type\": \"message.created\",\r\n \"timestamp\":\"2026-11-22T14:34:22Z\",\n\"data\":{"
                + "\"conversation_id\":\"" + conversation + "\",\"agent_type\":\"claude\",\"content\":"
                + "\"a\\nb\\r\\nc \u2028\u2029\u0085 👩‍👩‍👧‍👦 \\u0000 \\ud800 data: id: \\\"\",\"extra\":{\"k\":[1e999,null]}}}";
        String expected = body.replace('\r', ' ').replace('\n', ' ');
        try (RawStream stream = stream(version, STREAM + "?conversationId=" + conversation)) {
            stream.block();

            String eventId = server.ingest(body).json().get("event_id").asString();

            assertEquals("id: " + eventId + "\ndata: " + expected + "\n\n", stream.block());
        }
    }

    private static RawStream stream(String version, String path, String... headers) throws IOException {
        return RawStream.open(server.port(), version, path, headers);
    }

    @Test
    void event_named_hasItsTypeAsEventField() throws IOException {
        String conversation = conversation("named");
        try (RawStream stream = server.stream(STREAM + "?named=true&conversationId=" + conversation)) {
            stream.block();

            server.message(conversation, conversation, "x");

            String block = stream.block();
            assertTrue(block.startsWith("event: message.created\nid: "), block);
        }
    }

    @Test
    void event_withCommand_leavesItOut() throws IOException {
        String conversation = conversation("started");
        String body = "{\"type\":\"conversation.started\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"data\":{"
                + "\"conversation_id\":\"" + conversation + "\",\"mode\":\"round-robin\",\"initial_prompt\":\"\","
                + "\"participants\":[],\"command\":{\"full_command\":\"/home/me/secret\"},\"x\":1}}";
        try (RawStream stream = server.stream(STREAM + "?conversationId=" + conversation)) {
            stream.block();

            assertEquals(201, server.ingest(body).status());

            String block = stream.block();
            assertTrue(!block.contains("secret") && !block.contains("command"), block);
            assertTrue(RawStream.data(block).endsWith("\"participants\":[],\"x\":1}}"), block);
        }
    }

    @Test
    void filter_byConversationAndType_repeatedAndCommaSeparated() throws IOException {
        String one = conversation("one");
        String two = conversation("two");
        String three = conversation("three");
        String query =
                "?conversationId=" + one + "," + two + "&conversationId=" + three + "&types=message.created,log.entry";
        try (RawStream stream = server.stream(STREAM + query)) {
            stream.block();
            server.message("other", conversation("m"), "no");
            long first = server.message(one, conversation("m"), "yes");
            server.ingest("{\"type\":\"conversation.error\",\"data\":{\"conversation_id\":\"" + one
                    + "\",\"error_message\":\"no\"}}");
            long second = server.message(two, conversation("m"), "yes");
            long third = server.message(three, conversation("m"), "yes");

            assertEquals(
                    List.of(first, second, third),
                    stream.events(3).stream().map(RawStream::position).toList());
        }
    }

    @Test
    void alias_andLastEventIdParameter_work() throws IOException {
        String conversation = conversation("alias");
        long first = server.message(conversation, conversation + 1, "x");
        long second = server.message(conversation, conversation + 2, "x");
        String query = "?lastEventId=" + epoch() + "-" + first + "&conversationId=" + conversation;

        try (RawStream stream = server.stream("/api/stream" + query)) {
            stream.block();
            assertEquals(second, RawStream.position(stream.event()));
        }
    }

    @Test
    void resume_headerBeatsParameter_andGreetingIsNotAheadOfWhatWasDelivered() throws IOException {
        String conversation = conversation("resume");
        List<Long> positions = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            positions.add(server.message(conversation, conversation + i, "x"));
        }
        String epoch = epoch();
        String path = STREAM + "?lastEventId=nonsense&conversationId=" + conversation;

        try (RawStream stream = server.stream(path, "Last-Event-ID", epoch + "-" + positions.get(1))) {
            assertEquals(epoch + "-" + positions.get(1), RawStream.id(stream.block()));
            positions.add(server.message(conversation, conversation + "live", "x"));

            assertEquals(
                    positions.subList(2, 6),
                    stream.events(4).stream().map(RawStream::position).toList());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3, 10})
    void replay_lastN_comeFirstThenLive(int count) throws IOException {
        String conversation = conversation("replay");
        List<Long> positions = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            positions.add(server.message(conversation, conversation + i, "x"));
            server.message("other", conversation + "other" + i, "x");
        }

        try (RawStream stream = server.stream(STREAM + "?replay=" + count + "&conversationId=" + conversation)) {
            stream.block();
            positions.add(server.message(conversation, conversation + "live", "x"));

            List<Long> expected = positions.subList(Math.max(0, 5 - count), 6);
            assertEquals(
                    expected,
                    stream.events(expected.size()).stream()
                            .map(RawStream::position)
                            .toList());
        }
    }

    @Test
    void reset_idThatCannotBeResumed_isTheFirstFrameThenLive() throws IOException {
        String epoch = epoch();
        assertReset("malformed", "nonsense");
        assertReset("malformed", epoch + "--1");
        assertReset("malformed", epoch + "-01");
        assertReset("malformed", epoch + "-99999999999999999999");
        assertReset("other_epoch", "0ther-1");
        assertReset("ahead", epoch + "-9223372036854775807");
    }

    private static void assertReset(String reason, String id) throws IOException {
        String conversation = conversation("reset");
        try (RawStream stream = server.stream(STREAM + "?conversationId=" + conversation, "Last-Event-ID", id)) {
            String reset = stream.block();

            assertEquals(200, stream.status());
            assertEquals("reset", RawStream.field(reset, "event"));
            assertEquals(
                    "{\"reason\":\"" + reason + "\",\"requested\":\"" + id + "\",\"oldest\":\"" + epoch()
                            + "-0\",\"latest\":\"" + RawStream.id(reset) + "\"}",
                    RawStream.data(reset));

            long live = server.message(conversation, conversation + "live", "x");
            assertEquals(live, RawStream.position(stream.event()));
        }
    }

    @Test
    void reset_tooFarBehind_atTheLimitAndBeyond() throws IOException {
        try (TestServer small = TestServer.start(settings -> settings.replayEventsMax(3))) {
            for (int i = 0; i < 4; i++) {
                small.message("c", "m" + i, "x");
            }
            String epoch;
            try (RawStream stream = small.stream(STREAM)) {
                epoch = RawStream.id(stream.block()).split("-")[0];
            }
            assertThreeBehindAtMost(small, epoch);
            // The same after a restart.
            try (TestServer restarted = TestServer.on(small.databaseUrl(), settings -> settings.replayEventsMax(3))) {
                assertThreeBehindAtMost(restarted, epoch);
            }
        }
    }

    private static void assertThreeBehindAtMost(TestServer server, String epoch) throws IOException {
        try (RawStream stream = server.stream(STREAM, "Last-Event-ID", epoch + "-1")) {
            stream.block();
            assertEquals(2, RawStream.position(stream.event()));
        }
        try (RawStream stream = server.stream(STREAM, "Last-Event-ID", epoch + "-0")) {
            assertTrue(stream.block().contains("too_far_behind"));
        }
    }

    @Test
    void heartbeat_filteredReader_movesItsCursorWithoutAnEvent() throws IOException {
        try (TestServer quick = TestServer.start(settings -> settings.streamHeartbeat(Duration.ofMillis(200)));
                RawStream stream = quick.stream(STREAM + "?conversationId=mine")) {
            stream.block();
            long other = quick.message("other", "m", "x");

            String heartbeat = stream.block();
            for (int i = 0; RawStream.position(heartbeat) < other && i < 20; i++) {
                heartbeat = stream.block(); // one may have been under way already
            }

            assertTrue(heartbeat.matches(":heartbeat\nid: [a-z0-9]+-" + other + "\n\n"), heartbeat);
        }
    }

    @Test
    void connections_overTheLimit_areToldToComeBackInTheirOwnLanguage() throws IOException {
        try (TestServer full = TestServer.start(settings -> settings.streamConnectionsMax(1))) {
            try (RawStream first = full.stream(STREAM)) {
                first.block();
                try (RawStream browser = full.stream(STREAM, "Accept", "text/event-stream")) {
                    String block = browser.block();
                    assertEquals(200, browser.status());
                    assertEquals("overloaded", RawStream.field(block, "event"));
                    int retry = Integer.parseInt(RawStream.field(block, "retry"));
                    assertTrue(retry >= 5_000 && retry <= 30_000, block);
                }
                TestServer.Answer script = full.get(STREAM);
                assertEquals(503, script.status());
                assertEquals("too_many_streams", script.json().get("code").asString());
                assertTrue(Integer.parseInt(script.header("Retry-After")) >= 1);
            }
            // The place is free again once the server has seen the first one go.
            for (int i = 0; ; i++) {
                try (RawStream next = full.stream(STREAM)) {
                    if (next.status() == 200) {
                        assertTrue(next.block().contains("connected"));
                        return;
                    }
                    assertTrue(i < 1_000, "the place is not given back");
                }
            }
        }
    }

    @Test
    void age_reached_endsInOrderAndTheNextOneResumes() throws IOException {
        try (TestServer aging = TestServer.start(
                settings -> settings.streamHeartbeat(Duration.ofMillis(100)).streamAgeMax(Duration.ofMillis(600)))) {
            long started = System.nanoTime();
            try (RawStream stream = aging.stream(STREAM)) {
                String last = null;
                for (String block = stream.block(); block != null; block = stream.block()) {
                    last = block;
                }
                assertTrue(last.matches("retry: \\d+\n\n"), last);
                long millis = (System.nanoTime() - started) / 1_000_000;
                assertTrue(millis >= 480, "after " + millis + " ms");
            }
        }
    }

    @Test
    void close_ofTheServer_endsStreamsInOrder() throws IOException {
        TestServer closing = TestServer.start();
        List<RawStream> streams = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            streams.add(closing.stream(STREAM));
        }
        closing.close();
        for (RawStream stream : streams) {
            assertTrue(stream.block().contains("connected"));
            assertTrue(stream.block().startsWith("retry: "));
            assertNull(stream.block(), "the last chunk has come");
            stream.close();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"replay=-1", "replay=1001", "replay=x", "types=nonsense", "types=message.created,x", "named=1"})
    void parameter_notValid_isNamed(String query) {
        TestServer.Answer answer = server.get(STREAM + "?" + query);

        assertEquals(400, answer.status());
        assertEquals("invalid_parameter", answer.json().get("code").asString());
        assertEquals(query.split("=")[0], answer.json().at("/errors/0/pointer").asString());
    }

    @Test
    void conversationId_tooLongOrTooMany_isRefused() {
        assertEquals(
                400, server.get(STREAM + "?conversationId=" + "x".repeat(256)).status());
        assertEquals(
                400,
                server.get(STREAM + "?conversationId=" + "a,".repeat(50) + manyIds())
                        .status());
    }

    private static String manyIds() {
        StringBuilder ids = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            ids.append(i).append(',');
        }
        return ids.toString();
    }
}
