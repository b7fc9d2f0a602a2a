package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;

/**
 * Makes events of a session's messages. A message without an id of its own is known by what it says: that it was said in
 * this conversation, when, by whom, and as which of all. One thread.
 */
final class MessageBuilder {

    private final String conversationId;
    private final EventLimits limits;
    private final UploadViolations violations;

    MessageBuilder(String conversationId, EventLimits limits, UploadViolations violations) {
        this.conversationId = conversationId;
        this.limits = limits;
        this.violations = violations;
    }

    /** Null if there are violations. */
    MessageCreated build(int index, Members members) {
        Violations found = new Violations(limits.violationsMax());
        CheckedMembers message = new CheckedMembers(members, "/messages/" + index + "/", found, limits.idCharsMax());
        String sentId = message.id(message.has(Field.MESSAGE_ID) ? Field.MESSAGE_ID : Field.ID);
        Long at = message.requiredTime(Field.TIMESTAMP);
        String agentId = message.id(Field.AGENT_ID);
        String agentType = message.requiredId(Field.AGENT_TYPE);
        String agentName = message.requiredText(Field.AGENT_NAME);
        String content = message.requiredText(Field.CONTENT);
        Long sequenceNumber = message.count(Field.SEQUENCE_NUMBER);
        byte[] identity = found.isEmpty() ? identity(sentId, at, agentId, agentType, content, sequenceNumber) : null;
        MessageCreated event = new MessageCreated(
                identity == null ? null : new Envelope(EventType.MESSAGE_CREATED, conversationId, at, identity, null),
                sentId != null || identity == null ? sentId : Identity.uuid(identity),
                agentId,
                agentType,
                agentName,
                message.text(Field.ROLE),
                content,
                message.text(Field.MODEL),
                sequenceNumber,
                message.count(Field.TURN_NUMBER),
                message.count(Field.TOKENS_USED),
                message.count(Field.INPUT_TOKENS),
                message.count(Field.OUTPUT_TOKENS),
                message.decimal(Field.COST),
                message.count(Field.DURATION_MS));
        violations.addAll(found);
        return found.isEmpty() ? event : null;
    }

    private byte[] identity(
            String sentId, long at, String agentId, String agentType, String content, Long sequenceNumber) {
        return sentId != null
                ? Identity.ofMessage(sentId)
                : Identity.of(
                        EventType.MESSAGE_CREATED,
                        conversationId,
                        at,
                        Identity.parts(
                                agentId == null ? agentType : agentId,
                                content,
                                sequenceNumber == null ? "" : sequenceNumber.toString()));
    }
}
