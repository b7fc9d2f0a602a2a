package dev.agentpipe.core.log;

import java.util.List;

/** What became of an upload. */
public sealed interface UploadOutcome {

    /**
     * Everything is durable.
     *
     * @param conversationIds in the order of the upload
     * @param messages new ones
     * @param participants new ones
     * @param duplicates events of a file, or messages of a session, that were known
     * @param head position of the last new event in the log; 0 if nothing was new and nothing was changed
     */
    record Stored(List<String> conversationIds, int messages, int participants, int duplicates, long head)
            implements UploadOutcome {
        public Stored {
            conversationIds = List.copyOf(conversationIds);
        }
    }

    /**
     * Nothing was stored: some messages have the id of one with other content or in another conversation.
     *
     * @param places as in {@link dev.agentpipe.core.event.EventSink}, some of them if there are many
     */
    record Conflicts(List<Integer> places) implements UploadOutcome {
        public Conflicts {
            places = List.copyOf(places);
        }
    }
}
