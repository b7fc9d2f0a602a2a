package dev.agentpipe.db.conversations;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;

/**
 * A stored conversation without its messages. What is not known is null; what was sent as JSON is given as its text.
 *
 * @param startedAt when its start said, or else the time of its first event
 * @param updatedAt when something of it came last
 * @param totalMessages as reported, else as counted; so are the other totals
 * @param messageCount the messages that are stored
 * @param summarizedAt when the completion said that brought the summary
 * @param summary JSON object
 * @param systemInfo JSON object
 * @param metadata JSON
 * @param command JSON object; private
 */
public record Conversation(
        String id,
        String name,
        String mode,
        String status,
        String source,
        Instant createdAt,
        Instant updatedAt,
        Instant startedAt,
        Instant completedAt,
        String initialPrompt,
        Long maxTurns,
        long totalMessages,
        Long totalTurns,
        long totalTokens,
        BigDecimal totalCost,
        BigDecimal totalDurationMs,
        long messageCount,
        String summaryShortText,
        String summaryText,
        Instant summarizedAt,
        String summary,
        String errorMessage,
        String errorType,
        long errorCount,
        String systemInfo,
        String metadata,
        String command,
        List<Participant> participants) {

    private static final int TITLE_CHARS_MAX = 60;

    /** One of those that talk in it. */
    public record Participant(
            String agentId, String agentType, String agentName, String model, String prompt, String cliVersion) {}

    /** The name that it was given; else how its prompt begins; else its id. */
    public String title() {
        return title(name, initialPrompt, id);
    }

    public static String title(String name, String initialPrompt, String id) {
        if (name != null && !name.isBlank()) {
            return name;
        }
        String line = initialPrompt == null
                ? ""
                : initialPrompt
                        .lines()
                        .filter(one -> !one.isBlank())
                        .findFirst()
                        .orElse("")
                        .strip();
        if (line.isEmpty()) {
            return id;
        }
        return line.codePointCount(0, line.length()) <= TITLE_CHARS_MAX
                ? line
                : line.substring(0, line.offsetByCodePoints(0, TITLE_CHARS_MAX)).stripTrailing() + "…";
    }

    Conversation with(List<Participant> participants) {
        return new Conversation(
                id,
                name,
                mode,
                status,
                source,
                createdAt,
                updatedAt,
                startedAt,
                completedAt,
                initialPrompt,
                maxTurns,
                totalMessages,
                totalTurns,
                totalTokens,
                totalCost,
                totalDurationMs,
                messageCount,
                summaryShortText,
                summaryText,
                summarizedAt,
                summary,
                errorMessage,
                errorType,
                errorCount,
                systemInfo,
                metadata,
                command,
                participants);
    }
}
