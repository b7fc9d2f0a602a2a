package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.NOW_MICROS;
import static dev.agentpipe.core.event.Reading.NOW_TEXT;
import static dev.agentpipe.core.event.Reading.accepted;
import static dev.agentpipe.core.event.Reading.event;
import static dev.agentpipe.core.event.Reading.items;
import static dev.agentpipe.core.event.Reading.json;
import static dev.agentpipe.core.event.Reading.payload;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What readers get, what goes to columns, and what makes an event the same as another. */
final class EventReaderPayloadTest {

    private static final String STARTED =
            "\"conversation_id\":\"c\",\"mode\":\"m\",\"initial_prompt\":\"p\",\"agents\":[]";

    @Test
    void payload_ofAnyWriting_isAsSent() {
        String body =
                "{\t\"x\" : [ 1.50E+1 , { } ] , \"type\":\"error\\u002eoccurred\",\"data\":{\"conversation_id\":\"c\","
                        + " \"error\":\"\\u0000\\ud800 \\/é\\ud83d\\ude80\uD83D\uDE80\",\"command\":{}}  ,\"timestamp\":\"2026-11-22t10:00:00-23:59\"}";
        assertEquals(body, payload(accepted("\uFEFF \r\n" + body + "\n ")));
        Accepted inArray = (Accepted) items(json("[1, " + body + " ,2]")).get(1);
        assertEquals(body, payload(inArray.event()));
    }

    @Test
    void payload_withLineBreaks_isOneLine() {
        String body = "{\r\n\"type\":\n\"bridge.test\",\r\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":\n{\n}\n}";
        assertEquals(
                "{  \"type\": \"bridge.test\", \"timestamp\":\"2026-11-22T10:00:00Z\",\"data\": { } }",
                payload(accepted(body)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{\"type\":\"bridge.test\",\"data\":{}}; {\"type\":\"bridge.test\",\"timestamp\":\"NOW\",\"data\":{}}",
                "{\"data\":{},\"type\":\"bridge.test\"}; {\"data\":{},\"type\":\"bridge.test\",\"timestamp\":\"NOW\"}",
                "{\"type\":\"bridge.test\",\"timestamp\":null,\"data\":{}}; {\"type\":\"bridge.test\",\"timestamp\":\"NOW\",\"data\":{}}",
                "{\"timestamp\" : null ,\"data\":{},\"type\":\"bridge.test\"}; {\"timestamp\" : \"NOW\" ,\"data\":{},\"type\":\"bridge.test\"}",
                "{\"type\" : \"bridge.t\\u0065st\" , \"data\":{}}; {\"type\" : \"bridge.t\\u0065st\",\"timestamp\":\"NOW\" , \"data\":{}}",
            })
    void timestamp_thatIsMissing_isTheServersNow(String body, String expected) {
        Event event = accepted(body);
        assertEquals(expected.replace("NOW", NOW_TEXT), payload(event));
        assertEquals(NOW_MICROS, event.envelope().atMicros());
        Accepted inArray = (Accepted) items(json("[ " + body + "]")).get(0);
        assertEquals(expected.replace("NOW", NOW_TEXT), payload(inArray.event()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "{\"command\":{\"a\":\",\"},STARTED}; {STARTED}",
                "{ \"command\" : {\"a\":\"}\"} , STARTED}; {  STARTED}",
                "{STARTED,\"command\":{\"a\":[{}]}}; {STARTED}",
                "{STARTED , \"command\" : {} }; {STARTED  }",
                "{\"x\":1,\"command\":{},STARTED}; {\"x\":1,STARTED}",
                "{\"x\":1 , \"comm\\u0061nd\" : {} , STARTED}; {\"x\":1  , STARTED}",
                "{\"command\":null,STARTED}; {STARTED}",
                "{STARTED,\"command\":null}; {STARTED}",
                "{STARTED,\"x\":{\"command\":{}},\"y\":[{\"command\":1}]}; {STARTED,\"x\":{\"command\":{}},\"y\":[{\"command\":1}]}",
            })
    void command_ofAStart_isCutOut(String data, String expected) {
        String before = "{\"type\":\"conversation.started\",\"timestamp\":\"2026-11-22T10:00:00Z\",\"data\":";
        Event event = accepted(before + data.replace("STARTED", STARTED) + ",\"command\":\"kept\"}");
        assertEquals(before + expected.replace("STARTED", STARTED) + ",\"command\":\"kept\"}", payload(event));
    }

    @Test
    void command_besideAMissingTimestamp_isCutOutToo() {
        String data = "\"data\":{\"command\":{\"a\":1},\n" + STARTED + "}";
        String type = "\"type\":\"conversation.started\"";
        String kept = "\"data\":{ " + STARTED + "}";
        String now = "\"timestamp\":\"" + NOW_TEXT + "\"";
        assertEquals("{" + kept + "," + type + "," + now + "}", payload(accepted("{" + data + "," + type + "}")));
        assertEquals("{" + type + "," + now + "," + kept + "}", payload(accepted("{" + type + "," + data + "}")));
        ConversationStarted started = (ConversationStarted) accepted("{" + type + "," + data + "}");
        assertEquals("{\"a\":1}", started.command());
    }

    @Test
    void command_ofOtherTypes_stays() {
        String body = event("bridge.connected", ",\"command\":{\"a\":1}");
        assertEquals(body, payload(accepted(body)));
    }

    @Test
    void command_asOnlyMember_leavesAnEmptyObject() {
        byte[] body = Reading.utf8("{\"type\":\"conversation.started\",\"data\":{ \"command\":{} }}");
        try (var parser = Reading.TREE.createParser(body)) {
            parser.nextToken();
            RawEvent raw = new RawEvent(parser, 0, 1);
            String payload =
                    new String(Payload.of(body, raw, EventType.CONVERSATION_STARTED, 0), StandardCharsets.UTF_8);
            assertEquals(
                    "{\"type\":\"conversation.started\",\"timestamp\":\"1970-01-01T00:00:00.000000Z\",\"data\":{  }}",
                    payload);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "a\\u0000b, a\uFFFDb",
        "\\ud800, \uFFFD",
        "\\udc00x, \uFFFDx",
        "\\ud83d\\ude80, \uD83D\uDE80",
        "\\ud83d\\ud83d\\ude80\\ude80, \uFFFD\uD83D\uDE80\uFFFD",
        "\\ud83dx, \uFFFDx",
        "\\ufffd, \uFFFD",
    })
    void text_thatColumnsCannotHold_isReplacedThereOnly(String sent, String expected) {
        String body = event("message.created", ",\"message_id\":\"" + sent + "\",\"model\":\"" + sent + "\"");
        MessageCreated message = (MessageCreated) accepted(body);
        assertEquals(expected, message.messageId());
        assertEquals(expected, message.model());
        assertEquals(body, payload(message));
        MessageCreated clean =
                (MessageCreated) accepted(event("message.created", ",\"message_id\":\"" + expected + "\""));
        assertArrayEquals(clean.envelope().identity(), message.envelope().identity());
    }

    @Test
    void identity_ofAMessage_isItsIdAlone() {
        Event first = accepted(event("message.created", ",\"message_id\":\"m\",\"cost\":1"));
        Event second = accepted(event("message.created", ",\"message_id\":\"m\",\"cost\":2")
                .replace("\"c\"", "\"d\"")
                .replace("2026", "2027"));
        assertArrayEquals(first.envelope().identity(), second.envelope().identity());
    }

    @Test
    void identity_ofAStart_isItsConversationAlone() {
        Event first = accepted(event("conversation.started", ",\"agents\":[]"));
        Event second =
                accepted(event("conversation.started", ",\"agents\":[],\"x\":1").replace("2026", "2027"));
        assertArrayEquals(first.envelope().identity(), second.envelope().identity());
    }

    @Test
    void identity_ofOtherEvents_isTypeConversationTimeAndData() {
        String body = event("log.entry", ",\"level\":\"info\",\"content\":\"x\"");
        List<String> different = List.of(
                body,
                body.replace("log.entry", "bridge.test"),
                body.replace("log.entry", "message.created").replace("\"level\"", "\"agent_type\""),
                body.replace("\"c\"", "\"d\""),
                body.replace("10:00:00Z", "10:00:00.000001Z"),
                body.replace("\"x\"", "\"y\""),
                body.replace("{\"conv", "{ \"conv"),
                event("message.created", ",\"message_id\":\"c\""),
                event("conversation.started", ",\"agents\":[]"),
                event("conversation.interrupted", ""),
                event("conversation.completed", ""));
        Set<String> identities = new HashSet<>();
        for (String each : different) {
            identities.add(HexFormat.of().formatHex(accepted(each).envelope().identity()));
        }
        assertEquals(different.size(), identities.size());
        Event same =
                accepted(body.replace("10:00:00Z", "11:00:00.0000001+01:00").replace("{\"type", "{\"z\":1, \"type"));
        assertArrayEquals(accepted(body).envelope().identity(), same.envelope().identity());
        Event alias = accepted(event("error.occurred", ",\"error\":\"x\""));
        Event current = accepted(event("conversation.error", ",\"error\":\"x\""));
        assertArrayEquals(current.envelope().identity(), alias.envelope().identity());
    }

    @Test
    void messageId_thatIsMissing_comesFromTheIdentity() {
        MessageCreated first = (MessageCreated) accepted(event("message.created", ""));
        MessageCreated again = (MessageCreated) accepted(event("message.created", ""));
        MessageCreated other = (MessageCreated) accepted(event("message.created", ",\"x\":1"));
        assertEquals(first.messageId(), again.messageId());
        assertFalse(Arrays.equals(first.envelope().identity(), other.envelope().identity()));
        assertFalse(first.messageId().equals(other.messageId()));
        assertNull(first.cost());
    }
}
