package dev.agentpipe.db.export;

import dev.agentpipe.core.event.Event.Participant;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;

/**
 * A conversation as it was at one moment, but for its messages and events, which {@link Transcripts} reads in pages. JSON is
 * as sent, and may hold line breaks and escapes of U+0000. The user's {@code command} is not in it.
 *
 * @param after what was said at or before this position belonged to a conversation of the same id that was deleted
 * @param upTo the log's head at that moment: what comes after it is not part of the transcript
 * @param version differs if anything in the conversation's row does
 * @param messageCount rows of messages up to there
 * @param start the payload of {@code conversation.started}; null if there was none, or it is no longer retained
 */
public record Transcript(
        long after,
        long upTo,
        String version,
        long messageCount,
        Conversation conversation,
        List<Participant> participants,
        String start) {

    public Transcript {
        participants = List.copyOf(participants);
    }

    public String id() {
        return conversation.id();
    }

    /**
     * @param mode null until the conversation's start came, as are prompt and limit
     * @param createdAt when this server first heard of it
     * @param startedAt when its start said, or else the time of its first event
     * @param completedAt of the newest completion, also if the conversation went on
     * @param completion how that was: completed, interrupted or error
     * @param reported what a completion said; null if none said anything
     */
    public record Conversation(
            String id,
            String name,
            String source,
            String metadata,
            String mode,
            String initialPrompt,
            Long maxTurns,
            Instant createdAt,
            Instant startedAt,
            String status,
            Instant completedAt,
            String completion,
            Totals totals,
            Reported reported,
            Failure failure,
            String systemInfo) {}

    /** What was reported, else what was counted. */
    public record Totals(long messages, long tokens, BigDecimal cost, BigDecimal durationMs) {}

    /** Any component but the time may be null. */
    public record Reported(
            Instant at,
            Long messages,
            Long turns,
            Long tokens,
            BigDecimal cost,
            BigDecimal durationMs,
            String summary,
            String summaryShortText,
            String summaryText) {}

    /** The newest error. */
    public record Failure(Instant at, String message, String type) {}

    /** A message; what may be absent is null. */
    public record Message(
            long position,
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
            Long durationMs,
            Instant at) {

        /** Null if nothing about tokens is known. */
        public BigDecimal totalTokens() {
            if (tokensUsed != null) {
                return BigDecimal.valueOf(tokensUsed);
            }
            if (inputTokens != null && outputTokens != null) {
                return BigDecimal.valueOf(inputTokens).add(BigDecimal.valueOf(outputTokens));
            }
            Long one = inputTokens != null ? inputTokens : outputTokens;
            return one == null ? null : BigDecimal.valueOf(one);
        }
    }

    /** An event other than a message or a start, as the log has it. */
    public record RetainedEvent(long position, String type, Instant at, String payload) {}
}
