package dev.agentpipe.core.event;

import java.math.BigDecimal;
import java.util.List;

/**
 * A valid event, made by {@link EventReader} alone. Strings that go to columns of their own hold no U+0000 and no lone
 * surrogate (both became U+FFFD); a component that may be absent is null; counts are 0 or more.
 */
public sealed interface Event {

    Envelope envelope();

    /**
     * What all events have.
     *
     * @param type the type; older names have become the current one
     * @param conversationId the conversation it belongs to; null for an event outside of any
     * @param atMicros when it happened: microseconds since 1970-01-01T00:00:00Z, finer fractions cut off
     * @param identity 16 bytes that two events share exactly if they are the same event sent twice
     * @param payload what readers get: one line of JSON in UTF-8, {@code {"type":…,"timestamp":…,"data":{…}}}, byte for
     *     byte as sent where that is possible. Line breaks between tokens became spaces, a missing timestamp was filled
     *     in, and {@code command} is left out of {@code conversation.started}. Not to be changed. Null for the parts of
     *     a {@link Session}, which readers do not get one by one.
     */
    record Envelope(EventType type, String conversationId, long atMicros, byte[] identity, byte[] payload) {

        public Envelope withoutPayload() {
            return new Envelope(type, conversationId, atMicros, identity, null);
        }
    }

    /**
     * {@code conversation.started}.
     *
     * @param maxTurns null if there is no limit, which clients also send as a negative number
     * @param participants no two with the same agentId
     * @param systemInfo a JSON object, as sent, so escapes of U+0000 and lone surrogates may be in it
     * @param command a JSON object, as sent: the user's command line, private
     */
    record ConversationStarted(
            Envelope envelope,
            String mode,
            String initialPrompt,
            Long maxTurns,
            List<Participant> participants,
            String systemInfo,
            String command)
            implements Event {
        public ConversationStarted {
            participants = List.copyOf(participants);
        }
    }

    /**
     * An agent that takes part; {@code agentId} is unique within its conversation, {@code agentType} is not.
     *
     * @param agentId as sent, else {@code <agentType>-<index>}
     */
    record Participant(String agentId, String agentType, String name, String model, String prompt, String cliVersion) {}

    /**
     * {@code message.created}.
     *
     * @param messageId as sent; where none was sent, a UUID made from the identity
     * @param cost US dollars, exact; as all decimals here it is below 1e15 and has a scale from 0 to 400
     * @param durationMs milliseconds
     */
    record MessageCreated(
            Envelope envelope,
            String messageId,
            String agentId,
            String agentType,
            String agentName,
            String role,
            String content,
            String model,
            Long sequenceNumber,
            Long turnNumber,
            Long tokensUsed,
            Long inputTokens,
            Long outputTokens,
            BigDecimal cost,
            Long durationMs)
            implements Event {

        /** Whether the id is the client's own. */
        public boolean hasSentId() {
            return !messageId.equals(Identity.uuid(envelope.identity()));
        }

        /** Without what is large, once that is stored. */
        public MessageCreated withoutTexts() {
            return new MessageCreated(
                    envelope.withoutPayload(),
                    messageId,
                    agentId,
                    agentType,
                    agentName,
                    role,
                    null,
                    model,
                    sequenceNumber,
                    turnNumber,
                    tokensUsed,
                    inputTokens,
                    outputTokens,
                    cost,
                    durationMs);
        }
    }

    /** {@code conversation.completed} and {@code conversation.interrupted}; the totals are those the client reports. */
    record ConversationCompleted(
            Envelope envelope,
            CompletionStatus status,
            Long totalMessages,
            Long totalTurns,
            Long totalTokens,
            BigDecimal totalCost,
            BigDecimal durationSeconds,
            Summary summary)
            implements Event {}

    /** How a conversation ended, in the words of the wire. */
    enum CompletionStatus {
        COMPLETED,
        INTERRUPTED,
        ERROR
    }

    /** What an agent wrote about the whole conversation. */
    record Summary(
            String shortText,
            String text,
            String agentType,
            String model,
            Long inputTokens,
            Long outputTokens,
            Long totalTokens,
            BigDecimal cost,
            Long durationMs) {}

    /** {@code conversation.error}: one agent gave up. */
    record ConversationFailed(Envelope envelope, String errorMessage, String errorType, String agentType)
            implements Event {}

    /** An event that is kept and broadcast and changes nothing else: {@code log.entry}, {@code bridge.*}. */
    record Notice(Envelope envelope) implements Event {}
}
