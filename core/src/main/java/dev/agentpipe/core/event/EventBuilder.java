package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import dev.agentpipe.core.event.Members.Nested;
import dev.agentpipe.core.event.ReadResult.Item;
import dev.agentpipe.core.event.ReadResult.Item.Accepted;
import dev.agentpipe.core.event.ReadResult.Item.Rejected;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Makes an {@link Event} of one {@link RawEvent}, or finds everything that is wrong with it: it builds to the end
 * either way, with null for what is missing, and then looks whether there was a violation. One use, one thread.
 */
final class EventBuilder {

    private static final int TYPE_NAME_SHOWN_CHARS = 64;

    private final EventLimits limits;
    private final Clock clock;
    private final boolean untimedIsRepeat;
    private final byte[] body;
    private final RawEvent raw;
    private final Violations violations;

    private EventType type;
    private long atMicros;
    private CheckedMembers data;

    /** @param untimedIsRepeat whether an event without a timestamp is the same as one that is else equal */
    EventBuilder(EventLimits limits, Clock clock, boolean untimedIsRepeat, byte[] body, RawEvent raw) {
        this.limits = limits;
        this.clock = clock;
        this.untimedIsRepeat = untimedIsRepeat;
        this.body = body;
        this.raw = raw;
        this.violations = new Violations(limits.violationsMax());
    }

    Item item(int index) {
        type = readType();
        String code = raw.type instanceof String && type == null ? "unknown_event_type" : "invalid_event";
        atMicros = readTimestamp();
        data = readData();
        Event event = type == null || data == null ? null : build();
        return violations.isEmpty() ? new Accepted(index, event) : new Rejected(index, code, violations.list());
    }

    private EventType readType() {
        if (!(raw.type instanceof String name)) {
            violations.add("/type", raw.type == null ? "Required: the event's type." : "Expected a string.");
            return null;
        }
        EventType known = EventType.of(name);
        if (known == null || known.isServersOwn()) {
            violations.add(
                    "/type",
                    "Unknown event type \"" + shown(name) + "\"; known are "
                            + String.join(", ", EventType.acceptedNames()) + ".");
            return null;
        }
        return known;
    }

    /** The one value that an error repeats, since it is mostly a misspelling; it ends up in logs and terminals. */
    private static String shown(String name) {
        if (name.contains("ap_live_") || name.contains("ap_test_")) {
            return "?"; // a key, whatever it does here
        }
        String start = name.length() <= TYPE_NAME_SHOWN_CHARS ? name : name.substring(0, TYPE_NAME_SHOWN_CHARS) + "...";
        return start.replaceAll("[^A-Za-z0-9._ -]", "?");
    }

    private long readTimestamp() {
        if (raw.timestamp == null) {
            return Timestamps.epochMicros(clock.instant());
        }
        long micros = raw.timestamp instanceof String text ? Timestamps.epochMicros(text) : Timestamps.INVALID;
        if (micros == Timestamps.INVALID) {
            violations.add("/timestamp", Timestamps.EXPECTED);
        }
        return micros;
    }

    private CheckedMembers readData() {
        if (raw.data instanceof Nested nested && nested.isObject()) {
            return new CheckedMembers(nested.members(), "/data/", violations, limits.idCharsMax());
        }
        violations.add("/data", raw.data == null ? "Required: an object." : "Expected an object.");
        return null;
    }

    private Event build() {
        return switch (type) {
            case CONVERSATION_STARTED -> started();
            case MESSAGE_CREATED -> message();
            case CONVERSATION_COMPLETED -> completed(data.requiredId(Field.CONVERSATION_ID), readStatus());
            case CONVERSATION_INTERRUPTED ->
                completed(data.requiredId(Field.CONVERSATION_ID), CompletionStatus.INTERRUPTED);
            case CONVERSATION_ERROR -> failed();
            case LOG_ENTRY -> logEntry();
            case BRIDGE_CONNECTED, BRIDGE_TEST -> notice(data.id(Field.CONVERSATION_ID));
            case SESSION_UPLOADED, CONVERSATION_DELETED -> throw new IllegalStateException(type + " was let in");
        };
    }

    private ConversationStarted started() {
        String conversationId = data.requiredId(Field.CONVERSATION_ID);
        return new ConversationStarted(
                envelope(conversationId, conversationId == null ? new byte[0] : Identity.ofStart(conversationId)),
                data.requiredId(Field.MODE),
                data.requiredText(Field.INITIAL_PROMPT),
                data.limit(Field.MAX_TURNS),
                participants(),
                verbatim(data.object(Field.SYSTEM_INFO)),
                verbatim(data.object(Field.COMMAND)));
    }

    private List<Participant> participants() {
        Field field = data.has(Field.PARTICIPANTS) || !data.has(Field.AGENTS) ? Field.PARTICIPANTS : Field.AGENTS;
        if (!data.has(field)) {
            data.refuse(field, "Required: an array of objects.");
            return List.of();
        }
        Nested array = data.array(field);
        if (array == null) {
            return List.of();
        }
        List<Members> elements = array.elements();
        if (elements.size() > limits.participantsMax()) {
            data.refuse(field, "Expected at most " + limits.participantsMax() + " participants.");
            return List.of();
        }
        List<Participant> participants = new ArrayList<>(elements.size());
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < elements.size(); i++) {
            String pointer = "/data/" + field.wireName() + "/" + i;
            if (elements.get(i) == null) {
                violations.add(pointer, "Expected an object.");
            } else {
                participants.add(participant(i, elements.get(i), pointer + "/", ids));
            }
        }
        return participants;
    }

    private Participant participant(int index, Members members, String prefix, Set<String> idsBefore) {
        CheckedMembers agent = new CheckedMembers(members, prefix, violations, limits.idCharsMax());
        String agentType = agent.requiredId(Field.AGENT_TYPE);
        String sentId = agent.id(Field.AGENT_ID);
        String agentId = sentId != null ? sentId : agentType + "-" + index;
        if (!idsBefore.add(agentId)) {
            agent.refuse(Field.AGENT_ID, "Expected an identifier that no earlier participant has.");
        }
        return new Participant(
                agentId,
                agentType,
                agent.text(agent.has(Field.NAME) ? Field.NAME : Field.AGENT_NAME),
                agent.text(Field.MODEL),
                agent.text(Field.PROMPT),
                agent.text(Field.CLI_VERSION));
    }

    private MessageCreated message() {
        String conversationId = data.requiredId(Field.CONVERSATION_ID);
        String sentId = data.id(Field.MESSAGE_ID);
        // One without an id gets one from all that it says, and has the identity of that: it may come back with it,
        // exported.
        String id = sentId != null ? sentId : Identity.uuid(identity(conversationId));
        return new MessageCreated(
                envelope(conversationId, Identity.ofMessage(id)),
                id,
                data.id(Field.AGENT_ID),
                data.requiredId(Field.AGENT_TYPE),
                data.text(Field.AGENT_NAME),
                data.text(Field.ROLE),
                data.requiredText(Field.CONTENT),
                data.text(Field.MODEL),
                data.count(Field.SEQUENCE_NUMBER),
                data.count(Field.TURN_NUMBER),
                data.count(Field.TOKENS_USED),
                data.count(Field.INPUT_TOKENS),
                data.count(Field.OUTPUT_TOKENS),
                data.decimal(Field.COST),
                data.count(Field.DURATION_MS));
    }

    private ConversationCompleted completed(String conversationId, CompletionStatus status) {
        return new ConversationCompleted(
                envelope(conversationId, identity(conversationId)),
                status,
                data.count(Field.TOTAL_MESSAGES),
                data.count(Field.TOTAL_TURNS),
                data.count(Field.TOTAL_TOKENS),
                data.decimal(Field.TOTAL_COST),
                data.decimal(Field.DURATION_SECONDS),
                summary());
    }

    private CompletionStatus readStatus() {
        String status = data.requiredWord(Field.STATUS);
        for (CompletionStatus known : CompletionStatus.values()) {
            if (known.name().toLowerCase(Locale.ROOT).equals(status)) {
                return known;
            }
        }
        return status == null ? null : data.refuse(Field.STATUS, "Expected one of completed, interrupted, error.");
    }

    private Summary summary() {
        Nested sent = data.object(Field.SUMMARY);
        if (sent == null) {
            return null;
        }
        return summary(new CheckedMembers(sent.members(), "/data/summary/", violations, limits.idCharsMax()));
    }

    static Summary summary(CheckedMembers summary) {
        return new Summary(
                summary.text(summary.has(Field.SHORT_TEXT) ? Field.SHORT_TEXT : Field.SHORT_SUMMARY),
                summary.text(summary.has(Field.TEXT) ? Field.TEXT : Field.SUMMARY),
                summary.id(Field.AGENT_TYPE),
                summary.text(Field.MODEL),
                summary.count(Field.INPUT_TOKENS),
                summary.count(Field.OUTPUT_TOKENS),
                summary.count(Field.TOTAL_TOKENS),
                summary.decimal(Field.COST),
                summary.count(Field.DURATION_MS));
    }

    private ConversationFailed failed() {
        String conversationId = data.requiredId(Field.CONVERSATION_ID);
        boolean older = !data.has(Field.ERROR_MESSAGE) && data.has(Field.ERROR);
        return new ConversationFailed(
                envelope(conversationId, identity(conversationId)),
                data.requiredText(older ? Field.ERROR : Field.ERROR_MESSAGE),
                data.text(Field.ERROR_TYPE),
                data.id(Field.AGENT_TYPE));
    }

    private Notice logEntry() {
        String conversationId = data.requiredId(Field.CONVERSATION_ID);
        data.requiredWord(Field.LEVEL);
        data.requiredText(Field.CONTENT);
        return notice(conversationId);
    }

    private Notice notice(String conversationId) {
        return new Notice(envelope(conversationId, identity(conversationId)));
    }

    private byte[] identity(String conversationId) {
        Nested sent = (Nested) raw.data;
        long at = untimedIsRepeat && raw.timestamp == null ? Timestamps.INVALID : atMicros;
        return Identity.of(type, conversationId, at, Arrays.copyOfRange(body, sent.from(), sent.to()));
    }

    private Envelope envelope(String conversationId, byte[] identity) {
        return new Envelope(type, conversationId, atMicros, identity, Payload.of(body, raw, type, atMicros));
    }

    private String verbatim(Nested json) {
        return json == null ? null : new String(body, json.from(), json.to() - json.from(), StandardCharsets.UTF_8);
    }
}
