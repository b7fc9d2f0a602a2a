package dev.agentpipe.db.export;

import dev.agentpipe.db.export.Transcript.Conversation;
import dev.agentpipe.db.export.Transcript.Failure;
import dev.agentpipe.db.export.Transcript.Message;
import dev.agentpipe.db.export.Transcript.Reported;
import dev.agentpipe.db.export.Transcript.Totals;
import dev.agentpipe.db.generated.tables.records.ConversationsRecord;
import dev.agentpipe.db.generated.tables.records.MessagesRecord;
import dev.agentpipe.db.log.StatusOrder;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import org.jooq.JSON;

/** What rows say of a conversation and its messages. */
final class TranscriptRows {

    private TranscriptRows() {}

    static Conversation conversation(ConversationsRecord row) {
        Reported reported = row.getReportedAt() == null
                ? null
                : new Reported(
                        instant(row.getReportedAt()),
                        row.getReportedMessages(),
                        row.getReportedTurns(),
                        row.getReportedTokens(),
                        row.getReportedCost(),
                        row.getReportedDurationMs(),
                        json(row.getSummary()),
                        row.getSummaryShortText(),
                        row.getSummaryText());
        Failure failure = row.getErrorAt() == null
                ? null
                : new Failure(instant(row.getErrorAt()), row.getErrorMessage(), row.getErrorType());
        return new Conversation(
                row.getId(),
                row.getName(),
                row.getSource(),
                json(row.getMetadata()),
                row.getMode(),
                row.getInitialPrompt(),
                row.getMaxTurns(),
                instant(row.getCreatedAt()),
                instant(or(row.getStartedAt(), row.getFirstEventAt())),
                row.getStatus(),
                instant(row.getCompletedAt()),
                StatusOrder.completion(row.getStatusOrder()),
                new Totals(
                        or(row.getReportedMessages(), row.getMessageCount()),
                        or(row.getReportedTokens(), row.getMessageTokens()),
                        or(row.getReportedCost(), row.getMessageCost()),
                        or(row.getReportedDurationMs(), BigDecimal.valueOf(row.getMessageDurationMs()))),
                reported,
                failure,
                json(row.getSystemInfo()));
    }

    static Message message(MessagesRecord row) {
        return new Message(
                row.getPosition(),
                row.getMessageId(),
                row.getAgentId(),
                row.getAgentType(),
                row.getAgentName(),
                row.getRole(),
                row.getContent(),
                row.getModel(),
                row.getSequenceNumber(),
                row.getTurnNumber(),
                row.getTokensUsed(),
                row.getInputTokens(),
                row.getOutputTokens(),
                row.getCost(),
                row.getDurationMs(),
                instant(row.getCreatedAt()));
    }

    private static <T> T or(T first, T second) {
        return first != null ? first : second;
    }

    private static String json(JSON json) {
        return json == null ? null : json.data();
    }

    /** Null for null. */
    static Instant instant(OffsetDateTime time) {
        return time == null ? null : time.toInstant();
    }
}
