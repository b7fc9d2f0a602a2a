package dev.agentpipe.db.usage;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;

/**
 * What agents have used.
 *
 * @param activeConversations of {@code conversations}
 * @param averageDurationMs of the conversations that have ended; null if none has
 * @param total of all messages
 * @param agents the types with the most messages, the most first
 * @param models the same
 * @param series one bucket after the other, without those in which nothing was used; empty where no interval was asked for
 */
public record UsageSummary(
        long conversations,
        long activeConversations,
        BigDecimal averageDurationMs,
        Sums total,
        List<Part> agents,
        List<Part> models,
        List<Bucket> series) {

    public UsageSummary {
        agents = List.copyOf(agents);
        models = List.copyOf(models);
        series = List.copyOf(series);
    }

    /**
     * @param conversations in which the agent first spoke in that time; 0 for models
     * @param totalTokens where a message names only input and output, their sum
     * @param cost US dollars, exact
     */
    public record Sums(
            long messages,
            long conversations,
            BigDecimal inputTokens,
            BigDecimal outputTokens,
            BigDecimal totalTokens,
            BigDecimal cost,
            BigDecimal durationMs) {

        public static final Sums NONE =
                new Sums(0, 0, BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO);
    }

    /** @param name of an agent type or a model; null if it is not known */
    public record Part(String name, Sums sums) {}

    public record Bucket(Instant start, Sums total, List<Part> agents, List<Part> models) {
        public Bucket {
            agents = List.copyOf(agents);
            models = List.copyOf(models);
        }
    }
}
