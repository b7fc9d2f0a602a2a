package dev.agentpipe.db.conversations;

import java.math.BigDecimal;
import java.time.Instant;

/** A stored message. What is not known is null. */
public record Message(
        String conversationId,
        MessagePlace place,
        String id,
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

    /** As it counts for its conversation's total; null if nothing is known. */
    public Long totalTokens() {
        if (tokensUsed != null || inputTokens == null && outputTokens == null) {
            return tokensUsed;
        }
        long input = inputTokens == null ? 0 : inputTokens;
        long output = outputTokens == null ? 0 : outputTokens;
        return input > Long.MAX_VALUE - output ? Long.MAX_VALUE : input + output;
    }
}
