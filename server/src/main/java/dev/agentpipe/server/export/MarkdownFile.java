package dev.agentpipe.server.export;

import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.db.export.Transcript;
import dev.agentpipe.db.export.Transcript.Conversation;
import dev.agentpipe.db.export.Transcript.Message;

/**
 * Markdown (CommonMark). What was said stands in fenced code blocks, each with a fence longer than any row of backticks in
 * it: nothing inside can end the block, and nothing inside is markup, so that headings, links, HTML and front matter that
 * somebody said are only shown. Names stand on one line with all markup escaped. (Block quotes would look nicer, but
 * links defined in one are valid everywhere, and HTML in one would have to be escaped, so the text would not be the text.)
 */
final class MarkdownFile extends TextFile {

    private static final int FENCE_MIN = 3;

    /** Inside of a line: code, emphasis, links, HTML, entities, tables, formulas, and what viewers make links of by themselves. */
    private static final String MARKUP = "\\`*_[]<>&~|#!$^:/@";

    private final Transcript transcript;
    private long number;

    MarkdownFile(Transcript transcript) {
        this.transcript = transcript;
    }

    @Override
    public void begin() {
        Conversation conversation = transcript.conversation();
        out.append("# ").append(inline(Titles.of(conversation))).append("\n\n");
        item("Conversation", inline(conversation.id()));
        item("Status", inline(conversation.status()));
        item("Mode", conversation.mode() == null ? null : inline(conversation.mode()));
        item("Source", inline(conversation.source()));
        item("Created", conversation.createdAt());
        item("Started", conversation.startedAt());
        item("Completed", conversation.completedAt());
        item("Messages", conversation.totals().messages());
        item("Tokens", conversation.totals().tokens());
        item("Cost", plain(conversation.totals().cost()) + " USD");
        item("Duration", plain(conversation.totals().durationMs()) + " ms");
        if (!transcript.participants().isEmpty()) {
            out.append("\n## Participants\n\n");
            transcript.participants().forEach(this::participant);
        }
        section("Prompt", conversation.initialPrompt());
        section("Summary", Titles.summaryOf(conversation));
        section(
                "Error",
                conversation.failure() == null ? null : conversation.failure().message());
        out.append("\n## Messages\n");
    }

    private void item(String name, Object value) {
        if (value != null) {
            out.append("- ").append(name).append(": ").append(value).append('\n');
        }
    }

    private void participant(Participant participant) {
        out.append("- ").append(inline(named(participant.name(), participant.agentId(), participant.agentType())));
        out.append(" \\(").append(inline(participant.agentType()));
        if (participant.model() != null) {
            out.append(", ").append(inline(participant.model()));
        }
        out.append("\\)\n");
    }

    private static String named(String... names) {
        for (String name : names) {
            if (name != null && !name.isBlank()) {
                return name;
            }
        }
        return "unknown";
    }

    private void section(String title, String text) {
        if (text != null && !text.isEmpty()) {
            out.append("\n## ").append(title).append("\n\n");
            fenced(text);
        }
    }

    @Override
    public void message(Message message) {
        number++;
        out.append("\n### ").append(number).append(". ");
        out.append(inline(named(message.agentName(), message.agentId(), message.agentType())));
        if (message.agentType() != null) {
            out.append(" \\(").append(inline(message.agentType())).append("\\)");
        }
        out.append("\n\n");
        item("Time", message.at());
        item("Role", message.role() == null ? null : inline(message.role()));
        item("Model", message.model() == null ? null : inline(message.model()));
        item("Tokens", message.totalTokens());
        item("Cost", message.cost() == null ? null : plain(message.cost()) + " USD");
        item("Duration", message.durationMs() == null ? null : message.durationMs() + " ms");
        out.append('\n');
        fenced(message.content());
    }

    private void fenced(String text) {
        String fence = "`".repeat(Math.max(FENCE_MIN, longestRun(text) + 1));
        out.append(fence).append("text\n").append(text);
        if (!text.isEmpty() && !text.endsWith("\n") && !text.endsWith("\r")) {
            out.append('\n');
        }
        out.append(fence).append('\n');
    }

    private static int longestRun(String text) {
        int longest = 0;
        int run = 0;
        for (int i = 0; i < text.length(); i++) {
            run = text.charAt(i) == '`' ? run + 1 : 0;
            longest = Math.max(longest, run);
        }
        return longest;
    }

    /** On one line, with whatever could be markup there escaped: CommonMark lets any ASCII punctuation be. */
    private static String inline(String text) {
        StringBuilder line = new StringBuilder(text.length() + 8);
        boolean numberSoFar = true;
        for (int c : text.strip().codePoints().toArray()) {
            if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                line.append(' ');
                continue;
            }
            boolean isPunctuation = c < 0x80 && !Character.isLetterOrDigit(c) && c != ' ';
            // At its beginning it could begin a list, a quote or a heading.
            if (MARKUP.indexOf(c) >= 0 || isPunctuation && numberSoFar) {
                line.append('\\');
            }
            numberSoFar &= c >= '0' && c <= '9';
            line.appendCodePoint(c);
        }
        return line.toString();
    }

    @Override
    public void end() {}
}
