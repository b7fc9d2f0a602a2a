package dev.agentpipe.server.smoke;

import dev.agentpipe.server.smoke.SmokeClient.Answer;
import dev.agentpipe.server.sse.SseEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One conversation from its first event to a resumed stream. The methods are steps, to be called in their order; one thread.
 */
final class ConversationChecks implements AutoCloseable {

    /** How many events the reader that is cut off has seen. */
    private static final int SEEN_BEFORE_CUT = 3;

    private final SmokeClient client;
    private final String key;
    private final SmokeConversation conversation;
    private final List<Sent> sent = new ArrayList<>();
    private SmokeStream stream;

    ConversationChecks(SmokeClient client, String key, SmokeConversation conversation) {
        this.client = client;
        this.key = key;
        this.conversation = conversation;
    }

    /** An event that was answered with 201, as a stream must give it. */
    private record Sent(String eventId, JsonNode event) {}

    String openStream() throws SmokeFailure, InterruptedException {
        stream = client.stream(conversation.id(), "");
        String expected = "the frame \"connected\"";
        SseEvent first = stream.next(expected);
        SmokeFailure.unless(isConnected(first), expected, first.data());
        return "";
    }

    /** The second message before the start, the completion before the third: what the CLI does every day. */
    String sendOutOfOrder() throws SmokeFailure, InterruptedException {
        send(conversation.message(2));
        send(conversation.started());
        send(conversation.message(1));
        send(conversation.completed());
        send(conversation.message(3));
        return sent.size() + " events";
    }

    String repeat() throws SmokeFailure, InterruptedException {
        Answer answer = client.post(conversation.message(2), key);
        String eventId = sent.get(0).eventId();
        SmokeFailure.unless(
                answer.status() == 200
                        && answer.json().path("duplicate").asBoolean(false)
                        && answer.field("event_id").equals(eventId),
                "200 with \"duplicate\": true and the event_id of the first time, " + eventId,
                answer);
        return "";
    }

    /** The last event is sent after the repeat: were the repeat broadcast, it would come before that. */
    String receiveEachOnceInOrder() throws SmokeFailure, InterruptedException {
        send(conversation.logEntry(4));
        for (Sent expected : sent) {
            receive(expected);
        }
        return sent.size() + " events, each once, in order, as sent";
    }

    /** An event comes while nobody reads, and one after the reader is back. */
    String resumeAfterCut() throws SmokeFailure, InterruptedException {
        stream.close();
        send(conversation.message(4));
        stream = client.stream(conversation.id(), sent.get(SEEN_BEFORE_CUT - 1).eventId());
        for (Sent expected : sent.subList(SEEN_BEFORE_CUT, sent.size())) {
            receive(expected);
        }
        receive(send(conversation.message(5)));
        return (sent.size() - SEEN_BEFORE_CUT) + " events after the cut";
    }

    @Override
    public void close() {
        if (stream != null) {
            stream.close();
        }
    }

    private Sent send(ObjectNode event) throws SmokeFailure, InterruptedException {
        String type = event.get("type").asString();
        Answer answer = client.post(event, key);
        SmokeFailure.unless(
                answer.status() == 201
                        && !answer.field("event_id").isEmpty()
                        && answer.field("conversation_id").equals(conversation.id()),
                "201 with event_id and conversation_id for " + type,
                answer);
        // Read back from text, so that numbers have the types that parsing gives them.
        ObjectNode asStreamed = (ObjectNode) SmokeClient.json(event.toString());
        ((ObjectNode) asStreamed.get("data")).remove("command");
        Sent one = new Sent(answer.field("event_id"), asStreamed);
        sent.add(one);
        return one;
    }

    private void receive(Sent expected) throws SmokeFailure, InterruptedException {
        String type = expected.event().get("type").asString();
        String what = type + " with the id " + expected.eventId();
        SseEvent event = stream.next(what);
        while (isConnected(event)) {
            event = stream.next(what);
        }
        SmokeFailure.unless(event.id().equals(expected.eventId()), what, "the id " + event.id() + ", " + event.data());
        JsonNode seen = SmokeClient.json(event.data());
        same(type, expected.event(), seen, "type");
        same(type, expected.event(), seen, "timestamp");
        JsonNode expectedData = expected.event().path("data");
        JsonNode seenData = seen.path("data");
        TreeSet<String> names = new TreeSet<>(expectedData.propertyNames());
        names.addAll(seenData.propertyNames());
        for (String name : names) {
            same(type + " data", expectedData, seenData, name);
        }
    }

    private static void same(String where, JsonNode expected, JsonNode seen, String name) throws SmokeFailure {
        SmokeFailure.unless(
                expected.path(name).equals(seen.path(name)),
                where + " with " + name + " = " + shown(expected.path(name)),
                shown(seen.path(name)));
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "nothing" : value.toString();
    }

    private static boolean isConnected(SseEvent event) {
        return SmokeClient.json(event.data()).path("type").asString("").equals("connected");
    }
}
