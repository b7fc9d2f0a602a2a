package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import dev.agentpipe.core.event.Members.Nested;
import dev.agentpipe.core.event.UploadCheck.Place;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.json.JsonMapper;

/**
 * Makes a {@link Session} of a document's parts, or finds everything that is wrong with them. The messages are only checked
 * and counted here. One use, one thread.
 */
final class SessionBuilder implements SessionParser.Parts {

    static final class TooManyMessagesException extends IOException {
        private static final long serialVersionUID = 1;
    }

    private static final Set<String> SOURCES = Set.of("cli-upload", "cli-stream", "web");
    private static final String OPEN = "ACTIVE";

    private final EventLimits limits;
    private final int messagesMax;
    private final UploadViolations violations;
    private final Violations found;
    private final MessageBuilder messages;

    private CheckedMembers conversation;
    private List<Participant> participants;
    private boolean hasMessages;
    private final Map<String, String> unknown = new LinkedHashMap<>();
    private int messageCount;
    private long lastMessageAt = Long.MIN_VALUE;

    SessionBuilder(EventLimits limits, UploadLimits uploadLimits, UploadViolations violations) {
        this.limits = limits;
        this.messagesMax = uploadLimits.messagesMax();
        this.violations = violations;
        this.found = new Violations(limits.violationsMax());
        this.messages = new MessageBuilder("", limits, violations);
    }

    @Override
    public void conversation(Members members, Map<String, String> unknownMembers) {
        conversation = new CheckedMembers(members, "/conversation/", found, limits.idCharsMax());
        unknownMembers.forEach(unknown::putIfAbsent);
    }

    @Override
    public void unknown(String name, String json) {
        unknown.putIfAbsent(name, json);
    }

    @Override
    public void agents(List<Members> agents) {
        participants = new ArrayList<>();
        if (agents.size() > limits.participantsMax()) {
            found.add("/agents", "Expected at most " + limits.participantsMax() + " agents.");
            return;
        }
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < agents.size(); i++) {
            if (agents.get(i) == null) {
                found.add("/agents/" + i, "Expected an object.");
            } else {
                participants.add(participant(i, agents.get(i), ids));
            }
        }
    }

    private Participant participant(int index, Members members, Set<String> idsBefore) {
        CheckedMembers agent = new CheckedMembers(members, "/agents/" + index + "/", found, limits.idCharsMax());
        String agentType = agent.requiredId(Field.AGENT_TYPE);
        String sentId = agent.id(Field.AGENT_ID);
        String agentId = sentId != null ? sentId : agentType + "-" + index;
        if (!idsBefore.add(agentId)) {
            agent.refuse(Field.AGENT_ID, "Expected an identifier that no earlier agent has.");
        }
        return new Participant(
                agentId,
                agentType,
                agent.requiredText(agent.has(Field.NAME) ? Field.NAME : Field.AGENT_NAME),
                agent.text(Field.MODEL),
                agent.text(Field.PROMPT),
                agent.text(Field.CLI_VERSION));
    }

    @Override
    public void messages() {
        hasMessages = true;
    }

    @Override
    public void message(int index, Members members) throws IOException {
        if (++messageCount > messagesMax) {
            throw new TooManyMessagesException();
        }
        MessageCreated message = messages.build(index, members);
        if (message != null) {
            lastMessageAt = Math.max(lastMessageAt, message.envelope().atMicros());
        }
    }

    /**
     * To be called when the whole document was read. Null if there are violations.
     *
     * @param digest of the document
     */
    Session session(byte[] digest) {
        requirePart(conversation != null, "/conversation", "Required: an object.");
        requirePart(participants != null, "/agents", "Required: an array.");
        requirePart(hasMessages, "/messages", "Required: an array.");
        Session session = conversation == null || participants == null ? null : build(digest);
        violations.addAll(found);
        return violations.isEmpty() ? session : null;
    }

    /** Of a part that is there and is something else, that is known by now. */
    private void requirePart(boolean there, String pointer, String detail) {
        if (!there && !violations.has(pointer)) {
            violations.add("invalid_upload", new Place(null, pointer, detail));
        }
    }

    private Session build(byte[] digest) {
        String sentId = conversation.id(Field.ID);
        String id = sentId != null ? sentId : Identity.uuid(digest);
        String name = conversation.requiredText(Field.NAME);
        String mode = conversation.requiredId(Field.MODE);
        String prompt = conversation.requiredText(Field.INITIAL_PROMPT);
        Long startedAt = conversation.requiredTime(Field.STARTED_AT);
        Long completedAt = conversation.time(Field.COMPLETED_AT);
        Long createdAt = conversation.time(Field.CREATED_AT);
        String source = source();
        CompletionStatus status = status();
        ConversationStarted start = new ConversationStarted(
                envelope(EventType.CONVERSATION_STARTED, id, startedAt, Identity.ofStart(id)),
                mode,
                prompt,
                conversation.limit(Field.MAX_TURNS),
                participants,
                conversation.json(Field.SYSTEM_INFO),
                conversation.json(Field.COMMAND));
        // What was said after the given end would open the conversation again: the end is the latest of all times.
        long first = startedAt == null ? 0 : startedAt;
        long last = Math.max(Math.max(first, lastMessageAt), completedAt == null ? first : completedAt);
        List<Event> end = new ArrayList<>();
        addError(end, id, status == null ? first : last);
        addCompletion(end, id, status, last);
        return new Session(id, name, source, metadata(), createdAt, completedAt, start, end);
    }

    private String source() {
        String source = conversation.text(Field.SOURCE);
        if (source != null && !SOURCES.contains(source)) {
            return conversation.refuse(Field.SOURCE, "Expected one of cli-upload, cli-stream, web.");
        }
        return source == null ? "cli-upload" : source;
    }

    /** Null for a conversation that goes on, too. */
    private CompletionStatus status() {
        String status = conversation.requiredWord(Field.STATUS);
        if (status == null || status.equals(OPEN)) {
            return null;
        }
        for (CompletionStatus known : CompletionStatus.values()) {
            if (known.name().equals(status)) {
                return known;
            }
        }
        return conversation.refuse(Field.STATUS, "Expected one of ACTIVE, COMPLETED, INTERRUPTED, ERROR.");
    }

    private void addError(List<Event> end, String id, long at) {
        String message = conversation.text(Field.ERROR_MESSAGE);
        String type = conversation.text(Field.ERROR_TYPE);
        if (message != null) {
            byte[] identity = Identity.of(EventType.CONVERSATION_ERROR, id, at, Identity.parts(message, type));
            end.add(new ConversationFailed(
                    envelope(EventType.CONVERSATION_ERROR, id, at, identity), message, type, null));
        }
    }

    /** The totals of a conversation that goes on are those of its messages. */
    private void addCompletion(List<Event> end, String id, CompletionStatus status, long at) {
        Long messageTotal = conversation.count(Field.TOTAL_MESSAGES);
        Long turns = conversation.count(Field.TOTAL_TURNS);
        Long tokens = conversation.count(Field.TOTAL_TOKENS);
        BigDecimal cost = conversation.decimal(Field.TOTAL_COST);
        BigDecimal millis = conversation.decimal(
                conversation.has(Field.TOTAL_DURATION_MS) ? Field.TOTAL_DURATION_MS : Field.TOTAL_DURATION);
        BigDecimal seconds = millis == null ? conversation.decimal(Field.DURATION_SECONDS) : millis.movePointLeft(3);
        Nested sent = conversation.object(Field.SUMMARY);
        Summary summary = sent == null
                ? null
                : EventBuilder.summary(
                        new CheckedMembers(sent.members(), "/conversation/summary/", found, limits.idCharsMax()));
        if (status != null) {
            byte[] said = Identity.parts(
                    status.name(),
                    String.valueOf(messageTotal),
                    String.valueOf(turns),
                    String.valueOf(tokens),
                    String.valueOf(cost),
                    String.valueOf(seconds),
                    String.valueOf(summary));
            byte[] identity = Identity.of(EventType.CONVERSATION_COMPLETED, id, at, said);
            end.add(new ConversationCompleted(
                    envelope(EventType.CONVERSATION_COMPLETED, id, at, identity),
                    status,
                    messageTotal,
                    turns,
                    tokens,
                    cost,
                    seconds,
                    summary));
        }
    }

    private static Envelope envelope(EventType type, String id, Long at, byte[] identity) {
        return new Envelope(type, id, at == null ? 0 : at, identity, null);
    }

    /** Its own members first; what has the name of one of those is left out. */
    private String metadata() {
        String own = conversation.json(Field.METADATA);
        if (unknown.isEmpty()) {
            return own;
        }
        StringBuilder all = new StringBuilder(own == null ? "{" : own.substring(0, own.length() - 1));
        Set<String> names = new HashSet<>();
        if (own != null) {
            names.addAll(JsonMapper.shared().readTree(own).propertyNames());
        }
        unknown.forEach((name, json) -> {
            if (names.add(name)) {
                String quoted = ColumnText.of(JsonMapper.shared().writeValueAsString(name));
                all.append(all.length() == 1 ? "" : ",")
                        .append(quoted)
                        .append(':')
                        .append(json);
            }
        });
        return all.append('}').toString();
    }
}
