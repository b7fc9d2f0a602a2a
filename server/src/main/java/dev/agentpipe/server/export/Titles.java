package dev.agentpipe.server.export;

import dev.agentpipe.db.export.Transcript.Conversation;

/** What a conversation is called, and what it came to. */
final class Titles {

    private static final int PROMPT_CHARS_MAX = 80;

    private Titles() {}

    /** Its name, else how its prompt begins, else its id. */
    static String of(Conversation conversation) {
        if (conversation.name() != null && !conversation.name().isBlank()) {
            return conversation.name();
        }
        String prompt = conversation.initialPrompt() == null
                ? ""
                : conversation.initialPrompt().strip();
        if (prompt.isEmpty()) {
            return conversation.id();
        }
        String line = prompt.lines().findFirst().orElse("").strip();
        int length = line.codePointCount(0, line.length());
        return length <= PROMPT_CHARS_MAX
                ? line
                : line.substring(0, line.offsetByCodePoints(0, PROMPT_CHARS_MAX))
                                .strip() + "…";
    }

    /** Null if there is none. */
    static String summaryOf(Conversation conversation) {
        if (conversation.reported() == null) {
            return null;
        }
        String text = conversation.reported().summaryText();
        return text != null && !text.isEmpty() ? text : conversation.reported().summaryShortText();
    }
}
