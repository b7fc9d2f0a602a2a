package dev.agentpipe.server.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.RawHttp;
import dev.agentpipe.server.Stored;
import dev.agentpipe.server.TestServer;
import dev.agentpipe.server.TestServer.Answer;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class IngestAnswersTest {

    private static final String INVALID = "{\"type\":\"message.created\",\"data\":{\"conversation_id\":7}}";
    private static final String UNKNOWN = "{\"type\":\"nonsense\",\"data\":{}}";

    @AutoClose
    private static final TestServer server = TestServer.start();

    @AutoClose
    private static final Stored stored = new Stored(server);

    private static String message(String id, String content) {
        return TestServer.messageBody("c", id, content);
    }

    private static String messages(String prefix, int from, int to, String separator) {
        return IntStream.range(from, to).mapToObj(i -> message(prefix + i, "x")).collect(Collectors.joining(separator));
    }

    @Test
    void event_new_is201WithItsIds() {
        Answer answer = server.ingest(message("one", "x"));

        assertEquals(201, answer.status());
        assertEquals("application/json; charset=utf-8", answer.header("Content-Type"));
        assertEquals("no-store", answer.header("Cache-Control"));
        assertEquals(
                List.of("event_id", "conversation_id", "message_id"),
                List.copyOf(answer.json().propertyNames()));
        String eventId = answer.json().get("event_id").stringValue();
        assertTrue(eventId.matches("[a-z0-9]+-[1-9][0-9]*"), eventId);
        assertEquals(eventId, answer.header("Event-Id"));
        assertEquals("c", answer.json().get("conversation_id").stringValue());
        assertEquals("one", answer.json().get("message_id").stringValue());
        assertEquals("/api/conversations/c#one", answer.header("Location"));
        assertNull(answer.header("Preference-Applied"));
    }

    @Test
    void event_outsideOfConversations_hasOnlyItsEventId() {
        Answer answer = server.ingest("{\"type\":\"bridge.test\",\"data\":{}}");

        assertEquals(201, answer.status());
        assertEquals(List.of("event_id"), List.copyOf(answer.json().propertyNames()));
        assertNull(answer.header("Location"));
    }

    @Test
    void message_withoutId_isToldTheOneItGot() {
        Answer answer = server.ingest("{\"type\":\"message.created\",\"timestamp\":\"2026-11-22T14:34:22Z\",\"data\":"
                + "{\"conversation_id\":\"anonymous\",\"agent_type\":\"claude\",\"content\":\"\"}}");

        String id = answer.json().get("message_id").stringValue();
        assertEquals(1, stored.count("messages", "message_id = ?", id));
    }

    @Test
    void event_again_is200WithTheSameIds() {
        Answer first = server.ingest(message("again", "x"));
        Answer second = server.ingest(message("again", "x"));

        assertEquals(200, second.status());
        assertEquals(
                first.json().asObject().put("duplicate", true).toString(),
                second.json().toString());
        assertEquals(first.header("Event-Id"), second.header("Event-Id"));
        assertEquals(first.header("Location"), second.header("Location"));
    }

    @Test
    void message_withAnIdThatIsTaken_is409AndChangesNothing() {
        server.ingest(message("taken", "x"));
        String before = stored.fingerprint();

        for (String body : List.of(message("taken", "other"), TestServer.messageBody("other", "taken", "x"))) {
            Answer answer = server.ingest(body);
            assertEquals(409, answer.status());
            assertEquals("application/problem+json; charset=utf-8", answer.header("Content-Type"));
            assertEquals("message_id_conflict", answer.json().get("code").stringValue());
            assertEquals(
                    "/data/message_id", answer.json().at("/errors/0/pointer").stringValue());
            assertNull(answer.header("Event-Id"));
        }
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void batch_mixed_listsWhatBecameOfEach() {
        server.ingest(message("m-known", "x"));

        Answer answer = server.ingest("[" + UNKNOWN + "," + message("m-new", "x") + ",7," + message("m-known", "x")
                + "," + message("m-known", "other") + "," + message("m-new", "x") + "," + INVALID + "]");

        assertEquals(200, answer.status());
        assertEquals(1, answer.json().get("accepted").intValue());
        assertEquals(2, answer.json().get("duplicates").intValue());
        JsonNode rejected = answer.json().get("rejected");
        assertEquals(4, rejected.size());
        assertRejected(rejected.get(0), 0, "unknown_event_type", "/type");
        assertRejected(rejected.get(1), 2, "invalid_event", "");
        assertRejected(rejected.get(2), 4, "message_id_conflict", "/data/message_id");
        assertRejected(
                rejected.get(3), 6, "invalid_event", "/data/conversation_id", "/data/agent_type", "/data/content");
        assertEquals(1, stored.count("messages", "message_id = 'm-new'"));
    }

    private static void assertRejected(JsonNode rejected, int index, String code, String... pointers) {
        assertEquals(index, rejected.get("index").intValue());
        assertEquals(code, rejected.get("code").stringValue());
        List<String> found = rejected.get("errors")
                .valueStream()
                .map(error -> error.get("pointer").stringValue())
                .toList();
        assertEquals(List.of(pointers), found);
    }

    @Test
    void batch_allInvalid_is400WithEveryPlace() {
        String before = stored.fingerprint();

        Answer mixed = server.ingest("[" + UNKNOWN + "," + INVALID + "]");
        assertEquals(400, mixed.status());
        assertEquals("invalid_event", mixed.json().get("code").stringValue());
        assertEquals(
                List.of("/0/type", "/1/data/conversation_id", "/1/data/agent_type", "/1/data/content"),
                mixed.json()
                        .get("errors")
                        .valueStream()
                        .map(error -> error.get("pointer").stringValue())
                        .toList());

        Answer alike = server.ingest("[" + UNKNOWN + "," + UNKNOWN + "]");
        assertEquals(400, alike.status());
        assertEquals("unknown_event_type", alike.json().get("code").stringValue());
        assertEquals(before, stored.fingerprint());
    }

    @ParameterizedTest
    @CsvSource({"[],application/json", "' [ ] ',application/json", "'',application/x-ndjson"})
    void batch_empty_is200AndAcceptsNothing(String body, String type) {
        Answer answer = server.ingest(body, "Content-Type", type);

        assertEquals(200, answer.status());
        assertEquals(
                "{\"accepted\":0,\"duplicates\":0,\"rejected\":[]}",
                answer.json().toString());
    }

    @Test
    void batch_atItsLimit_isTakenAndOneMoreIsNot() {
        Answer most = server.ingest("[" + messages("most", 0, 1_000, ",") + "]");
        assertEquals(200, most.status());
        assertEquals(1_000, most.json().get("accepted").intValue());
        assertEquals(1_000, stored.count("messages", "message_id like 'most%'"));

        String before = stored.fingerprint();
        for (String type : List.of("application/json", "application/x-ndjson")) {
            boolean lines = type.endsWith("ndjson");
            String body = messages("more", 0, 1_001, lines ? "\n" : ",");
            Answer more = server.ingest(lines ? body : "[" + body + "]", "Content-Type", type);
            assertEquals(413, more.status());
            assertEquals("batch_too_large", more.json().get("code").stringValue());
        }
        assertEquals(before, stored.fingerprint());
    }

    @Test
    void lines_withBlankAndBadOnes_areCountedWithoutTheBlankOnes() {
        String body = "\r\n" + message("line-1", "x") + "\r\n\r\n  \n{\"type\":\nnonsense\n" + message("line-2", "x");

        Answer answer = server.ingest(body, "Content-Type", "Application/X-NDJSON; charset=utf-8");

        assertEquals(200, answer.status());
        assertEquals(2, answer.json().get("accepted").intValue());
        JsonNode rejected = answer.json().get("rejected");
        assertEquals(2, rejected.size());
        assertRejected(rejected.get(0), 1, "invalid_json", "");
        assertRejected(rejected.get(1), 2, "invalid_json", "");
        String detail = rejected.at("/0/errors/0/detail").stringValue();
        assertTrue(detail.contains("byte offset 8"), detail);
        assertEquals(2, stored.count("messages", "message_id like 'line-%'"));
    }

    @Test
    void batch_ofOne_isAnsweredAsABatch() {
        Answer answer = server.ingest("[" + message("of-one", "x") + "]");

        assertEquals(200, answer.status());
        assertEquals(1, answer.json().get("accepted").intValue());
        assertNull(answer.header("Event-Id"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "return=minimal",
                "Return=Minimal",
                "return=\"minimal\"",
                " return = minimal ; foo=bar",
                "respond-async, return=minimal",
                "return=minimal, return=representation"
            })
    void preference_forMinimal_isAppliedToSuccess(String prefer) {
        Answer answer = server.ingest(message("p-" + prefer.hashCode(), "x"), "Prefer", prefer);

        assertEquals(201, answer.status());
        assertEquals("", answer.response().body());
        assertEquals("0", answer.header("Content-Length"));
        assertEquals("return=minimal", answer.header("Preference-Applied"));
        assertEquals("/api/conversations/c#p-" + prefer.hashCode(), answer.header("Location"));
        assertTrue(answer.header("Event-Id").matches("[a-z0-9]+-\\d+"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "return=representation",
                "return=representation, return=minimal",
                "return=minimalist",
                "x-return=minimal",
                "wait=10; return=minimal",
                "foo=\"return=minimal\""
            })
    void preference_forAnythingElse_isPassedOver(String prefer) {
        Answer answer = server.ingest(message("n-" + prefer.hashCode(), "x"), "Prefer", prefer);

        assertEquals(201, answer.status());
        assertTrue(answer.json().has("event_id"), prefer);
        assertNull(answer.header("Preference-Applied"));
    }

    @Test
    void preference_inItsSecondHeader_isFound() throws IOException {
        String request =
                RawHttp.post(message("second-header", "x"), "Prefer", "respond-async\r\nPrefer: return=minimal");

        assertEquals("", RawHttp.ask(server.port(), request).body());
    }

    @Test
    void preference_forMinimal_hidesNothingThatWentWrong() {
        Answer conflict = server.ingest(message("one-more", "x"), "Prefer", "return=minimal");
        assertEquals(201, conflict.status());
        conflict = server.ingest(message("one-more", "other"), "Prefer", "return=minimal");
        assertEquals(409, conflict.status());
        assertTrue(conflict.json().has("errors"));

        Answer batch = server.ingest("[" + message("b-1", "x") + "," + UNKNOWN + "]", "Prefer", "return=minimal");
        assertEquals(1, batch.json().get("rejected").size());
        assertNull(batch.header("Preference-Applied"));

        Answer clean = server.ingest("[" + message("b-2", "x") + "]", "Prefer", "return=minimal");
        assertEquals(200, clean.status());
        assertEquals("", clean.response().body());
    }

    @Test
    void client_thatIsGo_getsAnEmptySuccessAndFullErrors() {
        Answer success = server.ingest(message("go", "x"), "User-Agent", "Go-http-client/2.0");
        assertEquals(201, success.status());
        assertEquals("0", success.header("Content-Length"));
        assertTrue(success.header("Event-Id").matches("[a-z0-9]+-\\d+"));
        assertNull(success.header("Preference-Applied"), "it was not asked for");

        assertEquals(
                "",
                server.ingest(message("go", "x"), "User-Agent", "Go-http-client/1.1")
                        .response()
                        .body());
        Answer error = server.ingest(UNKNOWN, "User-Agent", "Go-http-client/1.1");
        assertEquals("unknown_event_type", error.json().get("code").stringValue());
        assertTrue(server.ingest(message("go", "x"), "User-Agent", "My-Go-http-client/1.1")
                .json()
                .has("event_id"));
    }

    @Test
    void location_ofOddIds_isEncoded() {
        String odd = "a b/c?d#e%2F+ü🚀*~'";
        Answer answer = server.ingest(TestServer.messageBody(odd, odd, "x"));

        assertEquals(odd, answer.json().get("conversation_id").stringValue());
        String encoded = "a%20b%2Fc%3Fd%23e%252F%2B%C3%BC%F0%9F%9A%80*%7E%27";
        assertEquals("/api/conversations/" + encoded + "#" + encoded, answer.header("Location"));
    }

    @Test
    void location_ofTheLongestIds_fits() throws IOException {
        String longest = "🚀".repeat(255);
        RawHttp.Answer answer = RawHttp.ask(server.port(), RawHttp.post(TestServer.messageBody(longest, longest, "x")));

        assertEquals(201, answer.status());
        assertEquals("%F0%9F%9A%80".repeat(255), answer.header("Location").split("[/#]")[3]);
        assertEquals(
                400,
                server.ingest(TestServer.messageBody(longest + "x", "m", "x")).status());
    }
}
