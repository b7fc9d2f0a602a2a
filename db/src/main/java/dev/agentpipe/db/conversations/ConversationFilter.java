package dev.agentpipe.db.conversations;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Which conversations a list has. An empty part allows all.
 *
 * @param statuses any of them
 * @param agentType with {@code model}: one and the same participant has both
 * @param from a conversation began at this time or later: when its start said, or else at its first event
 * @param to and not after this one
 */
public record ConversationFilter(
        List<String> statuses,
        Optional<String> mode,
        Optional<String> source,
        Optional<String> agentType,
        Optional<String> model,
        Optional<Instant> from,
        Optional<Instant> to) {

    /** Compared is the beginning of a stored model, one character longer than what can be asked for. */
    public static final int MODEL_CHARS_MAX = 119;

    public static final ConversationFilter ALL = new ConversationFilter(
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    public ConversationFilter {
        statuses = List.copyOf(statuses);
    }

    boolean asksForParticipants() {
        return agentType.isPresent() || model.isPresent();
    }
}
