package dev.agentpipe.core.event;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import dev.agentpipe.core.event.ReadResult.Events;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Everything that the real client sends, against a tree of the same bytes. */
final class EventReaderFixturesTest {

    /** Components that are compared on their own. */
    private static final Set<String> OTHERS =
            Set.of("envelope", "participants", "status", "summary", "systemInfo", "command");

    static List<String> bodies() {
        return Reading.fixtures();
    }

    @Test
    void fixtures_all_areThere() {
        assertTrue(bodies().size() >= 150, () -> bodies().size() + " bodies");
        Set<String> types = bodies().stream()
                .map(body -> Reading.accepted(body).envelope().type().wireName())
                .collect(Collectors.toSet());
        assertEquals(7, types.size(), types::toString);
    }

    @ParameterizedTest(name = "{index}")
    @MethodSource("bodies")
    void event_ofRealClient_hasTheValuesSent(String body) {
        JsonNode sent = Reading.TREE.readTree(body);
        Event event = Reading.accepted(body);
        assertEnvelope(sent, event.envelope());
        assertComponents(sent.get("data"), event);
        if (event instanceof ConversationStarted started) {
            assertStarted(sent.get("data"), started);
        }
        if (event instanceof ConversationCompleted completed) {
            assertEquals(
                    sent.at("/data/status").stringValue(),
                    completed.status().name().toLowerCase(Locale.ROOT));
            assertSummary(sent.at("/data/summary"), completed.summary());
        }
    }

    @ParameterizedTest(name = "{index}")
    @MethodSource("bodies")
    void event_sentTwiceAndAsLine_hasOneIdentity(String body) {
        Event first = Reading.accepted(body);
        Event second = Reading.accepted(Reading.lines("\r\n" + body + "\r\n"));
        assertArrayEquals(first.envelope().identity(), second.envelope().identity());
        assertEquals(Reading.payload(first), Reading.payload(second));
    }

    @Test
    void fixtures_inOneBatch_keepTheirOrder() {
        List<String> bodies = bodies();
        Events asArray = (Events) Reading.json("[" + String.join(",\n", bodies) + "]");
        Events asLines = (Events) Reading.lines(String.join("\n", bodies));
        assertTrue(asArray.batch() && asLines.batch());
        for (int i = 0; i < bodies.size(); i++) {
            String alone = Reading.payload(Reading.accepted(bodies.get(i)));
            for (Events batch : List.of(asArray, asLines)) {
                ReadResult.Item item = batch.items().get(i);
                assertEquals(i, item.index());
                assertEquals(alone, Reading.payload(((ReadResult.Item.Accepted) item).event()));
            }
        }
    }

    private static void assertEnvelope(JsonNode sent, Envelope envelope) {
        assertEquals(sent.get("type").stringValue(), envelope.type().wireName());
        assertEquals(sent.at("/data/conversation_id").stringValue(null), envelope.conversationId());
        Instant at = Instant.parse(sent.get("timestamp").stringValue());
        assertEquals(at.getEpochSecond() * 1_000_000 + at.getNano() / 1_000, envelope.atMicros());
        assertEquals(16, envelope.identity().length);
        JsonNode expected = sent.deepCopy();
        if (envelope.type() == EventType.CONVERSATION_STARTED) {
            ((ObjectNode) expected.get("data")).remove("command");
        }
        assertEquals(
                expected.toString(), Reading.TREE.readTree(envelope.payload()).toString());
    }

    private static void assertStarted(JsonNode data, ConversationStarted started) {
        List<Participant> participants = started.participants();
        assertEquals(data.get("participants").size(), participants.size());
        for (int i = 0; i < participants.size(); i++) {
            assertComponents(data.get("participants").get(i), participants.get(i));
        }
        assertEquals(data.get("system_info"), Reading.TREE.readTree(started.systemInfo()));
        if (data.has("command")) {
            assertEquals(data.get("command"), Reading.TREE.readTree(started.command()));
        } else {
            assertNull(started.command());
        }
    }

    private static void assertSummary(JsonNode sent, Summary summary) {
        if (sent.isMissingNode()) {
            assertNull(summary);
        } else {
            assertNotNull(summary);
            assertComponents(sent, summary);
        }
    }

    /** Every component is the member of the same name in snake_case, or null where there is none. */
    private static void assertComponents(JsonNode sent, Object object) {
        for (RecordComponent component : object.getClass().getRecordComponents()) {
            if (OTHERS.contains(component.getName())) {
                continue;
            }
            String name = component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
            Object value = value(component, object);
            JsonNode node = sent.get(name);
            if (value instanceof BigDecimal decimal) {
                assertEquals(0, decimal.compareTo(node.decimalValue()), name);
                assertEquals(node.asString(), decimal.toString(), name);
            } else if (value instanceof Long number) {
                assertEquals(node.longValue(), number, name);
            } else if (value != null) {
                assertEquals(node.stringValue(), value, name);
            } else {
                assertNull(node, name);
            }
        }
    }

    private static Object value(RecordComponent component, Object object) {
        try {
            return component.getAccessor().invoke(object);
        } catch (ReflectiveOperationException e) {
            return fail(e);
        }
    }

    @Test
    void cost_withManyDigits_survivesToTheLast() {
        List<String> costs = bodies().stream()
                .map(Reading::accepted)
                .filter(MessageCreated.class::isInstance)
                .map(event -> ((MessageCreated) event).cost())
                .map(String::valueOf)
                .toList();
        assertTrue(costs.contains("0.0006349999999999999"), costs::toString);
    }
}
