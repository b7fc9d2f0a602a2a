package dev.agentpipe.server.transfer;

import java.util.Map;

/**
 * What an import has done, and whether all is there.
 *
 * @param isComplete whether it came to its end
 * @param conversations looked at
 * @param unchanged of them, acknowledged before and still there: not sent
 * @param deleted of them, acknowledged before and since then deleted in the server: not sent
 * @param messagesAdded messages that were new to the server
 * @param refused what the server did not take: conversations, messages, events
 * @param old what the old database has of the conversations looked at
 * @param found what the server has of these conversations; it may have more
 * @param missing conversations that the server does not have, or with less than the old database
 * @param events by what became of them, in words for people
 */
public record ImportResult(
        boolean isComplete,
        long conversations,
        long unchanged,
        long deleted,
        long messagesAdded,
        long refused,
        Counted old,
        Counted found,
        long missing,
        Map<String, Long> events) {

    /** Three numbers that must not be less on the other side. */
    public record Counted(long conversations, long messages, long participants) {
        Counted plus(Counted other) {
            return new Counted(
                    conversations + other.conversations, messages + other.messages, participants + other.participants);
        }
    }

    public boolean isAllThere() {
        return isComplete && missing == 0 && refused == 0;
    }
}
