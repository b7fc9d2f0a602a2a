package dev.agentpipe.db.conversations;

/** The order of a list of conversations; those with the same value are ordered by their ids. */
public record ConversationOrder(By by, boolean isDescending) {

    /** What is compared. */
    public enum By {
        CREATED_AT,
        STARTED_AT,
        TOTAL_MESSAGES,
        TOTAL_TOKENS,
        TOTAL_COST,
        TOTAL_DURATION
    }
}
