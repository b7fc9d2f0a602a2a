package dev.agentpipe.core.event;

import dev.agentpipe.core.event.Event.ConversationStarted;
import java.util.List;

/**
 * What an uploaded session says besides its messages: as events, which become no events of the log (their payload is null),
 * and what no event says.
 *
 * @param conversationId as sent; else a UUID made from the whole upload
 * @param start what is known of the conversation's start
 * @param end its error and its completion, as far as it has them
 * @param source where it came from first: {@code cli-upload} unless it says otherwise
 * @param metadata a JSON object: its {@code metadata}, and all that has no name of its own here; null if there is neither
 * @param createdAtMicros when it was first stored elsewhere; null if it does not say
 * @param completedAtMicros as sent, also where messages came later; null if it does not say
 */
public record Session(
        String conversationId,
        String name,
        String source,
        String metadata,
        Long createdAtMicros,
        Long completedAtMicros,
        ConversationStarted start,
        List<Event> end) {
    public Session {
        end = List.copyOf(end);
    }
}
