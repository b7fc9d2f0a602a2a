package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Each test ends with the tables as they were, unless it says otherwise. */
final class BadInputTest {

    private static final int EVENT_BYTES_MAX = 1 << 20;
    private static final int REQUEST_BYTES_MAX = 8 << 20;

    private static TestServer server;
    private static Stored stored;

    private String before;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        stored = new Stored(server);
        server.message("c", "there", "x");
    }

    @AfterAll
    static void stop() {
        stored.close();
        server.close();
    }

    @BeforeEach
    void remember() {
        before = stored.fingerprint();
    }

    @AfterEach
    void compare() {
        assertEquals(before, stored.fingerprint());
    }

    /** The answer's body, once it was seen to be a problem of this kind. */
    private static JsonNode assertProblem(int status, String code, Answer answer) {
        assertEquals(status, answer.status(), answer::toString);
        assertEquals("application/problem+json; charset=utf-8", answer.header("Content-Type"));
        assertEquals("no-store", answer.header("Cache-Control"));
        JsonNode problem = answer.json();
        assertEquals(code, problem.get("code").stringValue(), answer::toString);
        assertEquals(status, problem.get("status").intValue());
        assertEquals("about:blank", problem.get("type").stringValue());
        assertFalse(problem.get("title").stringValue().isEmpty());
        assertNotNull(answer.header("X-Request-Id"));
        assertEquals(answer.header("X-Request-Id"), problem.get("requestId").stringValue());
        return problem;
    }

    private static List<String> pointers(JsonNode problem) {
        return problem.path("errors")
                .valueStream()
                .map(error -> error.get("pointer").stringValue())
                .toList();
    }

    private static String message(String members) {
        return "{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"data\":{\"conversation_id\":\"c\","
                + "\"agent_type\":\"claude\",\"content\":\"x\"" + members + "}}";
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|",
                "nonsense|byte offset 0",
                "{\"type\":\"message.created\",|byte offset 2",
                "{\"type\":\"message.created\",\"data\":{\"content\":\"cut of|byte offset ",
                "{\"type\":\"bridge.test\",\"data\":{}} {}|byte offset 33",
                "{'type':'bridge.test'}|byte offset 1",
                "{\"type\":\"bridge.test\",\"data\":{\"a\":01}}|byte offset ",
                "{\"type\":\"bridge.test\",\"data\":{\"a\":NaN}}|byte offset ",
                "[{\"type\":\"bridge.test\",\"data\":{}},|byte offset "
            })
    void body_notJson_isToldWithItsOffset(String body, String place) {
        JsonNode problem = assertProblem(400, "invalid_json", server.ingest(body));

        String detail = problem.get("detail").stringValue();
        assertTrue(detail.contains(place == null ? "there is nothing" : place), detail);
    }

    @Test
    void body_notUtf8_isToldWithItsOffset() {
        String text = message(",\"model\":\"?\"");
        for (byte[] bad :
                new byte[][] {{(byte) 0xff}, {(byte) 0xc0, (byte) 0x80}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80}}) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            int at = text.indexOf('?');
            System.arraycopy(bad, 0, body, at, Math.min(bad.length, 1));
            JsonNode problem = assertProblem(400, "invalid_json", server.ingest(body));
            assertEquals(
                    "Invalid UTF-8 at byte offset " + at + ".",
                    problem.get("detail").stringValue());
        }
        byte[] utf16 = text.getBytes(StandardCharsets.UTF_16LE);
        assertProblem(400, "invalid_json", server.ingest(utf16));
    }

    @Test
    void body_nestedTooDeeply_isToldWithItsPointer() {
        String tooDeep = message(",\"deep\":" + "[".repeat(98) + "]".repeat(98));
        JsonNode problem = assertProblem(400, "too_deep", server.ingest(tooDeep));
        assertTrue(problem.at("/errors/0/pointer").stringValue().startsWith("/data/deep/0/0"), problem.toString());

        assertProblem(400, "too_deep", server.ingest(message(",\"deep\":" + "[".repeat(63) + "]".repeat(63))));
        Answer deepest = server.ingest(message(",\"deep\":" + "[".repeat(62) + "]".repeat(62)));
        assertEquals(201, deepest.status());
        before = stored.fingerprint();
        assertProblem(400, "too_deep", server.ingest("[".repeat(100)));
    }

    @Test
    void body_withADuplicateKey_isToldWithItsPointer() {
        JsonNode problem = assertProblem(400, "duplicate_key", server.ingest(message(",\"a\":{\"b\":1,\"b\":2}")));

        assertEquals(List.of("/data/a/b"), pointers(problem));
    }

    @Test
    void event_withWrongTypes_isToldAllPlaces() {
        String body = "{\"type\":\"conversation.started\",\"timestamp\":\"yesterday\",\"data\":{\"conversation_id\":1,"
                + "\"mode\":\"\",\"initial_prompt\":null,\"max_turns\":1.5,\"participants\":[7,{\"agent_id\":\"a\"},"
                + "{\"agent_type\":\"b\",\"name\":[]}],\"system_info\":[],\"command\":\"run\"}}";

        JsonNode problem = assertProblem(400, "invalid_event", server.ingest(body));

        assertEquals(
                List.of(
                        "/timestamp",
                        "/data/conversation_id",
                        "/data/mode",
                        "/data/initial_prompt",
                        "/data/max_turns",
                        "/data/participants/0",
                        "/data/participants/1/agent_type",
                        "/data/participants/2/name",
                        "/data/system_info",
                        "/data/command"),
                pointers(problem));
        assertEquals(
                "10 things are wrong with the event.", problem.get("detail").stringValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"text\"", "7", "null", "true"})
    void body_thatIsNoObject_isTold(String body) {
        assertProblem(400, "invalid_event", server.ingest(body));
    }

    @ParameterizedTest
    @CsvSource({
        "tokens_used,-1",
        "tokens_used,1.0",
        "tokens_used,9223372036854775808",
        "tokens_used,'\"7\"'",
        "cost,-0.01",
        "cost,1e15",
        "cost,'\"0.1\"'",
        "cost,1e-401"
    })
    void figure_outOfItsRange_isToldWithItsPointer(String name, String value) {
        JsonNode problem = assertProblem(400, "invalid_event", server.ingest(message(",\"" + name + "\":" + value)));

        assertEquals(List.of("/data/" + name), pointers(problem));
        assertEquals(problem.at("/errors/0/detail"), problem.get("detail"), "one thing is told at once");
    }

    @Test
    void type_unknown_listsTheKnownOnesAndRepeatsNothingHarmful() {
        JsonNode problem = assertProblem(
                400,
                "unknown_event_type",
                server.ingest("{\"type\":\"message.create\\u001b[31m<script>\",\"data\":{}}"));

        assertEquals(List.of("/type"), pointers(problem));
        String detail = problem.get("detail").stringValue();
        assertTrue(detail.contains("\"message.create??31m?script?\""), detail);
        for (String known : List.of(
                "bridge.connected",
                "bridge.test",
                "conversation.completed",
                "conversation.error",
                "conversation.interrupted",
                "conversation.started",
                "error.occurred",
                "log.entry",
                "message.created")) {
            assertTrue(detail.contains(known), detail);
        }
    }

    @Test
    void event_aroundItsLimit_isTakenAndOneByteMoreIsNot() {
        String around = TestServer.messageBody("big", "big", "");
        String most = TestServer.messageBody("big", "big", "x".repeat(EVENT_BYTES_MAX - around.length()));
        String more = TestServer.messageBody("big", "more", "x".repeat(EVENT_BYTES_MAX - around.length()));

        JsonNode problem = assertProblem(413, "event_too_large", server.ingest(more));
        assertTrue(problem.get("detail").stringValue().contains("1048577"), problem.toString());
        assertProblem(413, "event_too_large", server.ingest("[" + more + "]"));
        assertProblem(413, "event_too_large", server.ingest(more, "Content-Type", "application/x-ndjson"));
        assertEquals(before, stored.fingerprint());

        assertEquals(201, server.ingest(" \n" + most + "\n").status(), "white space around it does not count");
        assertEquals(200, server.ingest(most).status());
        before = stored.fingerprint();
    }

    @Test
    void request_aroundItsLimit_isTakenAndOneByteMoreIsNot() {
        String most = " ".repeat(REQUEST_BYTES_MAX - 2);

        assertEquals(200, server.ingest("[" + most + "]").status());
        JsonNode problem = assertProblem(413, "request_too_large", server.ingest("[" + most + " ]"));
        assertTrue(problem.get("detail").stringValue().contains("8388608"), problem.toString());
        assertProblem(413, "request_too_large", server.ingest(new byte[9 << 20]));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"text/plain", "application/json5", "multipart/form-data; boundary=x", "application/xml", "", "/"
            })
    void contentType_other_is415(String type) throws IOException {
        RawHttp.Answer answer = RawHttp.ask(server.port(), RawHttp.post(message(""), "Content-Type", type));

        assertEquals(415, answer.status());
        assertEquals("unsupported_media_type", answer.json().get("code").stringValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "br", "identity, gzip"})
    void contentEncoding_any_is415(String encoding) {
        assertProblem(415, "unsupported_media_type", server.ingest(message(""), "Content-Encoding", encoding));
    }

    @Test
    void contentType_leftOutOrWithParameters_isTaken() throws IOException {
        for (String type : new String[] {null, "application/json; charset=utf-8", "Application/JSON;x=y"}) {
            String body = "{\"type\":\"bridge.test\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"data\":{\"n\":\"" + type
                    + "\"}}";
            assertEquals(
                    201,
                    RawHttp.ask(server.port(), RawHttp.post(body, "Content-Type", type))
                            .status());
        }
        before = stored.fingerprint();
    }

    @Test
    void text_thatPostgresCannotStore_isTakenAllTheSame() {
        Answer answer =
                server.ingest(TestServer.messageBody("odd\\u0000", "odd\\ud800", "a\\u0000b\\ud83dc\\udc00d🚀"));

        assertEquals(201, answer.status());
        JsonNode row = stored.row("messages", "conversation_id = ?", "odd\uFFFD");
        assertEquals("a\uFFFDb\uFFFDc\uFFFDd🚀", row.get("content").stringValue());
        assertEquals("odd\uFFFD", row.get("message_id").stringValue());
        String payload = stored.row("events", "conversation_id = ?", "odd\uFFFD")
                .get("payload")
                .stringValue();
        assertTrue(payload.contains("a\\u0000b\\ud83dc\\udc00d🚀"), payload);
        before = stored.fingerprint();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-",
                "",
                "Bearer",
                "Bearer ",
                "Bearer ap_test_a-key-for-tests-onlY",
                "Bearer ap_test_a-key-for-tests-only-and-more",
                "Bearer ap_test_a-key-for-tests",
                "Basic YTpi",
                "ap_test_a-key-for-tests-only",
                "Bearer: ap_test_a-key-for-tests-only"
            })
    void key_missingMalformedOrUnknown_isRefusedAlike(String authorization) throws IOException {
        RawHttp.Answer answer = RawHttp.ask(
                server.port(),
                RawHttp.post(
                        message(""),
                        "Authorization",
                        authorization.equals("-") ? null : authorization,
                        "X-Request-Id",
                        "r"));

        assertEquals(401, answer.status());
        assertEquals("Bearer realm=\"agentpipe\"", answer.header("WWW-Authenticate"));
        assertEquals(
                "{\"type\":\"about:blank\",\"title\":\"A valid API key is needed\",\"status\":401,\"detail\":"
                        + "\"Send \\\"Authorization: Bearer <key>\\\" with a key of this server.\","
                        + "\"code\":\"unauthorized\",\"requestId\":\"r\"}",
                answer.body());
    }

    @Test
    void key_isAskedForBeforeAnythingElseIsSaid() {
        for (String body : List.of("{", "[" + " ".repeat(REQUEST_BYTES_MAX) + "]")) {
            assertProblem(401, "unauthorized", server.ingest(body, "Authorization", "x", "Content-Type", "text/plain"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bearer ", "BEARER   "})
    void scheme_inAnyCase_isTaken(String scheme) {
        assertProblem(400, "invalid_json", server.ingest("{", "Authorization", scheme + TestServer.KEY));
    }
}
