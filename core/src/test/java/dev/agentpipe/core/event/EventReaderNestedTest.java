package dev.agentpipe.core.event;

import static dev.agentpipe.core.event.Reading.accepted;
import static dev.agentpipe.core.event.Reading.assertViolations;
import static dev.agentpipe.core.event.Reading.event;
import static dev.agentpipe.core.event.Reading.rejected;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Participants, summaries and the objects that are kept as they are. */
final class EventReaderNestedTest {

    @Test
    void summary_withOlderNames_isRead() {
        ConversationCompleted completed = (ConversationCompleted)
                accepted(event("conversation.completed", ",\"summary\":{\"short_summary\":\"s\",\"summary\":\"t\"}"));
        assertEquals(new Summary("s", "t", null, null, null, null, null, null, null), completed.summary());
        completed = (ConversationCompleted) accepted(event(
                "conversation.interrupted",
                ",\"summary\":{\"short_text\":\"a\",\"short_summary\":1,\"text\":\"\",\"summary\":{},\"cost\":0}"));
        assertEquals(new Summary("a", "", null, null, null, null, null, BigDecimal.ZERO, null), completed.summary());
        completed = (ConversationCompleted) accepted(event("conversation.completed", ",\"summary\":{}"));
        assertEquals(new Summary(null, null, null, null, null, null, null, null, null), completed.summary());
        assertViolations(
                event(
                        "conversation.completed",
                        ",\"summary\":{\"text\":1,\"cost\":-1,\"summary\":2,\"input_tokens\":-1}"),
                "/data/summary/text: Expected a string.",
                "/data/summary/input_tokens: Expected an integer from 0 to 9223372036854775807.",
                "/data/summary/cost: Expected a number, 0 or more and below 1e15, with at most 400 fraction digits.");
        assertViolations(event("conversation.completed", ",\"summary\":[]"), "/data/summary: Expected an object.");
    }

    @Test
    void participants_withLittle_areCompleted() {
        String agents =
                "[{\"agent_type\":\"claude\"},{\"agent_type\":\"gemini\",\"agent_id\":\"\",\"agent_name\":\"G\"},"
                        + "{\"agent_type\":\"gemini\",\"agent_id\":\"x\",\"name\":\"N\",\"agent_name\":1,\"mcp\":{\"a\":[1]}}]";
        for (String name : List.of("participants", "agents")) {
            ConversationStarted started =
                    (ConversationStarted) accepted(event("conversation.started", ",\"" + name + "\":" + agents));
            assertEquals(
                    List.of(
                            new Participant("claude-0", "claude", null, null, null, null),
                            new Participant("gemini-1", "gemini", "G", null, null, null),
                            new Participant("x", "gemini", "N", null, null, null)),
                    started.participants());
        }
        ConversationStarted both = (ConversationStarted)
                accepted(event("conversation.started", ",\"participants\":[],\"agents\":[{\"agent_type\":\"a\"}]"));
        assertEquals(List.of(), both.participants());
        both = (ConversationStarted)
                accepted(event("conversation.started", ",\"participants\":null,\"agents\":[{\"agent_type\":\"a\"}]"));
        assertEquals(1, both.participants().size());
    }

    @Test
    void participants_thatAreWrong_areListedOneByOne() {
        assertViolations(
                event(
                        "conversation.started",
                        ",\"participants\":[{},7,{\"agent_type\":\"a\",\"agent_id\":\"a-3\",\"model\":1},"
                                + "{\"agent_type\":\"a\"},{\"agent_type\":\"\",\"agent_id\":{}}]"),
                "/data/participants/0/agent_type: Required: a string that is not empty.",
                "/data/participants/1: Expected an object.",
                "/data/participants/2/model: Expected a string.",
                "/data/participants/3/agent_id: Expected an identifier that no earlier participant has.",
                "/data/participants/4/agent_type: Expected a string that is not empty.",
                "/data/participants/4/agent_id: Expected a string.");
        assertViolations(
                event("conversation.started", ",\"agents\":[{}]"),
                "/data/agents/0/agent_type: Required: a string that is not empty.");
        assertViolations(
                event("conversation.started", ",\"participants\":{}"), "/data/participants: Expected an array.");
        assertViolations(event("conversation.started", ",\"agents\":\"x\""), "/data/agents: Expected an array.");
    }

    @Test
    void participants_upToTheLimit_areAccepted() {
        int max = EventLimits.DEFAULT.participantsMax();
        String one = "{\"agent_type\":\"a\"}";
        String most = ",\"participants\":[" + (one + ",").repeat(max - 1) + one + "]";
        assertEquals(
                max,
                ((ConversationStarted) accepted(event("conversation.started", most)))
                        .participants()
                        .size());
        assertViolations(
                event("conversation.started", most.replace("]", "," + one + ",[1],{\"x\":{}}]")),
                "/data/participants: Expected at most 1000 participants.");
    }

    @Test
    void violations_pastTheLimit_areLeftOut() {
        String wrong = event("conversation.started", ",\"participants\":[" + "1,".repeat(500) + "1]");
        assertEquals(
                EventLimits.DEFAULT.violationsMax(),
                rejected(wrong).violations().size());
        assertFalse(rejected(wrong).violations().stream()
                .anyMatch(violation -> violation.detail().isEmpty()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"system_info", "command"})
    void nestedObjects_areKeptAsSent(String name) {
        String json = "{ \"arch\":\"amd64\", \"n\":1.50e1,\"s\":\"\\u0000\\ud800é\"}";
        ConversationStarted started = (ConversationStarted)
                accepted(event("conversation.started", ",\"agents\":[],\"" + name + "\":" + json));
        assertEquals(json, name.equals("command") ? started.command() : started.systemInfo());
        assertViolations(
                event("conversation.started", ",\"agents\":[],\"" + name + "\":[]"),
                "/data/" + name + ": Expected an object.");
    }
}
