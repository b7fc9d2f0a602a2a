package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.accepted;
import static dev.agentpipe.core.event.Reading.assertViolations;
import static dev.agentpipe.core.event.Reading.event;
import static dev.agentpipe.core.event.Reading.rejected;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each type of event must and may say (contract, section 2). */
final class EventReaderRulesTest {

    @Test
    void envelope_withNothing_lacksItsMembers() {
        assertViolations("{}", "/type: Required: the event's type.", "/data: Required: an object.");
        assertViolations(
                "{\"type\":null,\"data\":null}", "/type: Required: the event's type.", "/data: Required: an object.");
        assertViolations(
                "{\"data\":[],\"timestamp\":5,\"type\":{}}",
                "/type: Expected a string.",
                "/timestamp: Expected an ISO-8601 date and time with a zone, such as 2026-01-31T12:00:00.5Z.",
                "/data: Expected an object.");
    }

    @Test
    void type_thatIsUnknown_isNamedWithTheKnownOnes() {
        Rejected rejected = rejected("{\"type\":\"message.craeted\",\"timestamp\":\"x\",\"data\":{}}");
        assertEquals("unknown_event_type", rejected.code());
        assertEquals(
                List.of("/type", "/timestamp"),
                rejected.violations().stream().map(Violation::pointer).toList());
        assertEquals(
                "Unknown event type \"message.craeted\"; known are bridge.connected, bridge.test, conversation.completed,"
                        + " conversation.error, conversation.interrupted, conversation.started, error.occurred,"
                        + " log.entry, message.created.",
                rejected.violations().get(0).detail());
    }

    @Test
    void type_thatIsHostile_isShownShortAndHarmless() {
        String detail = rejected("{\"type\":\"<b>\\n\\u001b" + "x".repeat(100_000) + "\",\"data\":{}}")
                .violations()
                .get(0)
                .detail();
        assertTrue(detail.startsWith("Unknown event type \"?b???xxx"), detail);
        assertTrue(detail.length() < 400, detail);
    }

    @ParameterizedTest
    @CsvSource({"conversation.error", "error.occurred"})
    void error_withEitherNameOfTypeAndMessage_isTheSame(String type) {
        for (String name : List.of("error_message", "error")) {
            Event event = accepted(event(type, ",\"" + name + "\":\"boom\",\"error_type\":\"\",\"agent_type\":\"\""));
            assertEquals(EventType.CONVERSATION_ERROR, event.envelope().type());
            assertEquals(new ConversationFailed(event.envelope(), "boom", "", null), event);
        }
        ConversationFailed both = (ConversationFailed) accepted(event(type, ",\"error\":1,\"error_message\":\"\""));
        assertEquals("", both.errorMessage());
    }

    @Test
    void requiredMembers_thatAreMissing_areAllListed() {
        assertViolations(
                "{\"type\":\"conversation.started\",\"data\":{\"mode\":null}}",
                "/data/conversation_id: Required: a string that is not empty.",
                "/data/mode: Required: a string that is not empty.",
                "/data/initial_prompt: Required: a string.",
                "/data/participants: Required: an array of objects.");
        assertViolations(
                "{\"type\":\"message.created\",\"data\":{}}",
                "/data/conversation_id: Required: a string that is not empty.",
                "/data/agent_type: Required: a string that is not empty.",
                "/data/content: Required: a string.");
        assertViolations(
                "{\"type\":\"conversation.completed\",\"data\":{}}",
                "/data/conversation_id: Required: a string that is not empty.",
                "/data/status: Required: a string that is not empty.");
        assertViolations(
                "{\"type\":\"conversation.interrupted\",\"data\":{}}",
                "/data/conversation_id: Required: a string that is not empty.");
        assertViolations(
                "{\"type\":\"conversation.error\",\"data\":{}}",
                "/data/conversation_id: Required: a string that is not empty.",
                "/data/error_message: Required: a string.");
        assertViolations(
                "{\"type\":\"log.entry\",\"data\":{}}",
                "/data/conversation_id: Required: a string that is not empty.",
                "/data/level: Required: a string that is not empty.",
                "/data/content: Required: a string.");
    }

    @Test
    void requiredWords_thatAreEmpty_areRefused() {
        assertViolations(
                "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"\",\"agent_type\":\"\",\"content\":\"\"}}",
                "/data/conversation_id: Expected a string that is not empty.",
                "/data/agent_type: Expected a string that is not empty.");
        assertViolations(
                "{\"type\":\"log.entry\",\"data\":{\"conversation_id\":\"c\",\"level\":\"\",\"content\":\"\"}}",
                "/data/level: Expected a string that is not empty.");
    }

    @Test
    void members_ofTheWrongType_areAllListed() {
        assertViolations(
                "{\"type\":\"message.created\",\"data\":{\"conversation_id\":7,\"message_id\":[],\"agent_id\":true,"
                        + "\"agent_type\":{},\"agent_name\":1.5,\"role\":1,\"content\":false,\"model\":[1],"
                        + "\"sequence_number\":\"1\",\"turn_number\":1.0,\"tokens_used\":true,\"input_tokens\":{},"
                        + "\"output_tokens\":[],\"cost\":\"0.1\",\"duration_ms\":1e3}}",
                "/data/conversation_id: Expected a string.",
                "/data/message_id: Expected a string.",
                "/data/agent_id: Expected a string.",
                "/data/agent_type: Expected a string.",
                "/data/agent_name: Expected a string.",
                "/data/role: Expected a string.",
                "/data/content: Expected a string.",
                "/data/model: Expected a string.",
                "/data/sequence_number: Expected an integer from 0 to 9223372036854775807.",
                "/data/turn_number: Expected an integer from 0 to 9223372036854775807.",
                "/data/tokens_used: Expected an integer from 0 to 9223372036854775807.",
                "/data/input_tokens: Expected an integer from 0 to 9223372036854775807.",
                "/data/output_tokens: Expected an integer from 0 to 9223372036854775807.",
                "/data/cost: Expected a number, 0 or more and below 1e15, with at most 400 fraction digits.",
                "/data/duration_ms: Expected an integer from 0 to 9223372036854775807.");
    }

    @Test
    void members_ofOtherTypes_mayBeAnything() {
        String foreign =
                ",\"status\":7,\"participants\":3,\"summary\":\"x\",\"level\":[],\"total_cost\":-1,\"command\":1";
        assertInstanceOf(MessageCreated.class, accepted(event("message.created", foreign + ",\"system_info\":0")));
        ConversationCompleted completed =
                (ConversationCompleted) accepted(event("conversation.interrupted", ",\"status\":7,\"agent_id\":{}"));
        assertEquals(CompletionStatus.INTERRUPTED, completed.status());
        assertInstanceOf(Notice.class, accepted(event("bridge.test", ",\"agent_type\":1")));
    }

    @Test
    void members_inAnyOrder_areTheSame() {
        String body = "{\"x\":[{}],\"data\":{\"content\":\"\",\"agent_type\":\"a\",\"y\":{\"content\":1},"
                + "\"conversation_id\":\"c\",\"cost\":1e-7},\"timestamp\":\"1970-01-01T00:00:00.000001Z\","
                + "\"type\":\"message.created\"}";
        MessageCreated message = (MessageCreated) accepted(body);
        assertEquals("", message.content());
        assertEquals("c", message.envelope().conversationId());
        assertEquals(new BigDecimal("0.0000001"), message.cost());
        assertEquals(1, message.envelope().atMicros());
        assertEquals(body, Reading.payload(message));
    }

    @Test
    void optionalIdentifiers_thatAreEmpty_areAbsent() {
        MessageCreated message = (MessageCreated) accepted(
                event("message.created", ",\"message_id\":\"\",\"agent_id\":\"\",\"agent_name\":\"\",\"model\":\"\""));
        assertTrue(message.messageId().matches("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        assertNull(message.agentId());
        assertEquals("", message.agentName());
        assertEquals("", message.model());
        assertNull(accepted("{\"type\":\"bridge.test\",\"data\":{\"conversation_id\":\"\"}}")
                .envelope()
                .conversationId());
    }

    @Test
    void identifiers_upToTheLimit_areAccepted() {
        String most = "\uD83D\uDE80".repeat(EventLimits.DEFAULT.idCharsMax());
        MessageCreated message =
                (MessageCreated) accepted(event("message.created", ",\"message_id\":\"" + most + "\""));
        assertEquals(most, message.messageId());
        String tooLong = most + "x";
        assertViolations(
                "{\"type\":\"message.created\",\"data\":{\"conversation_id\":\"" + tooLong + "\",\"message_id\":\""
                        + tooLong + "\",\"agent_id\":\"" + tooLong + "\",\"agent_type\":\"" + tooLong
                        + "\",\"content\":\"" + tooLong + "\"}}",
                "/data/conversation_id: Expected at most 255 characters.",
                "/data/message_id: Expected at most 255 characters.",
                "/data/agent_id: Expected at most 255 characters.",
                "/data/agent_type: Expected at most 255 characters.");
    }

    @ParameterizedTest
    @CsvSource({"completed,COMPLETED", "interrupted,INTERRUPTED", "error,ERROR"})
    void status_ofCompletion_isOneOfThree(String sent, CompletionStatus status) {
        String body = event("conversation.completed", "").replace("\"completed\"", "\"" + sent + "\"");
        assertEquals(status, ((ConversationCompleted) accepted(body)).status());
        assertViolations(
                body.replace("\"" + sent + "\"", "\"" + status + "\""),
                "/data/status: Expected one of completed, interrupted, error.");
        assertViolations(body.replace("\"" + sent + "\"", "3"), "/data/status: Expected a string.");
    }

    @Test
    void limits_belowOne_areRefused() {
        for (int i = 0; i < 7; i++) {
            int[] of = {1, 1, 1, 1, 1, 1, 1};
            new EventLimits(of[0], of[1], of[2], of[3], of[4], of[5], of[6]);
            of[i] = 0;
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new EventLimits(of[0], of[1], of[2], of[3], of[4], of[5], of[6]));
        }
    }
}
