package dev.agentpipe.db.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.MessageCreated;

/**
 * What decides a conversation's status: that of its newest event, whatever the order of arrival. One number holds the
 * event's time and, in its last three bits, a rank that breaks ties and says which status it is (the column {@code
 * status_order}, whose comment lists the ranks), so "the newest wins" is the greatest number.
 */
public final class StatusOrder {

    private static final int RANKS = 8;

    private StatusOrder() {}

    /** Null for an event that has no say in its conversation's status, and touches none of its columns. */
    static Long of(Event event) {
        int rank = rank(event);
        return rank < 0
                ? null
                : Long.valueOf(Math.addExact(Math.multiplyExact(event.envelope().atMicros(), RANKS), rank));
    }

    /** How the completion was that decides the status; {@code completed} if something else decides it. */
    public static String completion(long order) {
        return switch ((int) (order & RANKS - 1)) {
            case 4 -> "interrupted";
            case 5 -> "error";
            default -> "completed";
        };
    }

    private static int rank(Event event) {
        if (event instanceof MessageCreated) {
            return 1;
        }
        if (event instanceof ConversationStarted) {
            return 0;
        }
        if (event instanceof ConversationFailed) {
            return 2;
        }
        if (event instanceof ConversationCompleted completed) {
            return completed.status() == CompletionStatus.COMPLETED
                    ? 3
                    : completed.status() == CompletionStatus.INTERRUPTED ? 4 : 5;
        }
        return -1;
    }
}
