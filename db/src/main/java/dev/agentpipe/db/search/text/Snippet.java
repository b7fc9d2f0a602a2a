package dev.agentpipe.db.search.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A piece of a text around what was found in it. It is plain text, and where the matches are is said beside it, so there is
 * no markup that a text could bring along.
 *
 * @param content with an ellipsis where the text goes on
 * @param highlights in their order, none overlapping
 */
public record Snippet(String content, List<Range> highlights) {

    /** @param start UTF-16 unit of the content, as JavaScript counts; @param end the one after the last */
    public record Range(int start, int end) {}

    /** Without ellipses. */
    public static final int CHARS_MAX = 240;

    /** Of what comes before the first match. */
    private static final int LEAD_CHARS = 60;

    /** How far a border moves to a space. */
    private static final int WORD_CHARS = 20;

    private static final char ELLIPSIS = '\u2026';

    /** The piece with the most of the query in it; the beginning, if nothing of it is there. Not thread-safe. */
    public static final class Maker {

        private final Analysis analysis = new Analysis();
        private final SearchQuery query;

        public Maker(SearchQuery query) {
            this.query = query;
        }

        public Snippet of(String text) {
            List<Match> matches = query.matches(analysis.tokens(text));
            int first = best(matches);
            int from = matches.isEmpty() ? 0 : wordAt(text, matches.get(first).start() - LEAD_CHARS);
            int end = wordBefore(text, from + CHARS_MAX, from);
            return cut(text, matches, from, end);
        }
    }

    /** A text's first characters, without any matches. */
    public static Snippet beginning(String text, boolean goesOn) {
        return new Snippet(goesOn ? text + ELLIPSIS : text, List.of());
    }

    /** The match from which a window has the most different clauses, then the most matches. */
    private static int best(List<Match> matches) {
        int best = 0;
        int bestScore = -1;
        for (int i = 0; i < matches.size(); i++) {
            BitSet clauses = new BitSet();
            int count = 0;
            int end = matches.get(i).start() + CHARS_MAX - LEAD_CHARS;
            for (int j = i; j < matches.size() && matches.get(j).end() <= end; j++) {
                clauses.set(matches.get(j).clause());
                count++;
            }
            int score = clauses.cardinality() * CHARS_MAX + count;
            if (score > bestScore) {
                best = i;
                bestScore = score;
            }
        }
        return best;
    }

    private static Snippet cut(String text, List<Match> matches, int from, int end) {
        StringBuilder content = new StringBuilder(CHARS_MAX + 2);
        if (from > 0) {
            content.append(ELLIPSIS);
        }
        int shift = content.length() - from;
        content.append(text, from, end);
        if (end < text.length()) {
            content.append(ELLIPSIS);
        }
        List<Range> ranges = new ArrayList<>();
        for (Match match : matches) {
            int start = Math.max(match.start(), from);
            int last = Math.min(match.end(), end);
            if (start < last) {
                ranges.add(new Range(start + shift, last + shift));
            }
        }
        return new Snippet(content.toString(), ranges);
    }

    private static int wordAt(String text, int wanted) {
        if (wanted <= 0) {
            return 0;
        }
        for (int at = wanted; at < wanted + WORD_CHARS; at++) {
            if (Character.isWhitespace(text.charAt(at - 1))) {
                return at;
            }
        }
        return onCharacter(text, wanted);
    }

    private static int wordBefore(String text, int wanted, int from) {
        if (wanted >= text.length()) {
            return text.length();
        }
        for (int at = wanted; at > Math.max(from, wanted - WORD_CHARS); at--) {
            if (Character.isWhitespace(text.charAt(at))) {
                return at;
            }
        }
        return onCharacter(text, wanted);
    }

    /** Never between the halves of a surrogate pair. */
    private static int onCharacter(String text, int at) {
        return Character.isLowSurrogate(text.charAt(at)) ? at - 1 : at;
    }
}
