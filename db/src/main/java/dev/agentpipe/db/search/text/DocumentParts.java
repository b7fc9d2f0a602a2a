package dev.agentpipe.db.search.text;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the documents of texts: PostgreSQL's {@code tsvector}s, written as text. A {@code tsvector} knows positions up to
 * 16,383 and has at most 1 MiB, so a long text becomes several; the next one begins with the last words of the one before,
 * so that a sentence lies in one of them. Not thread-safe.
 */
public final class DocumentParts {

    /** How much a word counts: PostgreSQL's label. */
    public enum Weight {
        TITLE('A'),
        SUMMARY('B'),
        TEXT('D');

        private final char label;

        Weight(char label) {
            this.label = label;
        }
    }

    /**
     * @param from where in the text it begins: code points
     * @param chars how many of them it has
     * @param words a {@code tsvector}
     */
    public record Part(int from, int chars, String words) {}

    /** Which rules made the words: those of another version do not fit to a query of this one. */
    public static final int VERSION = Analysis.VERSION;

    /** Words of a part: few enough to be read quickly, and that the commonest word seldom is there too often. */
    static final int POSITIONS_MAX = 2_000;
    /** Of all terms of a part together. */
    static final int BYTES_MAX = 256 << 10;
    /** Words at the end of a part with which the next one begins, too. */
    static final int OVERLAP = 60;
    /** Of a word in a part: PostgreSQL keeps no more than 255, and would find no phrases there. */
    static final int PLACES_MAX = 250;

    private static final class Places {
        private final StringBuilder text = new StringBuilder();
        private int count;
    }

    private final Analysis analysis = new Analysis();

    private List<Part> parts;
    private String text;
    private Map<String, Places> terms;
    private int placesMost;
    private Deque<Token> last;
    private int bytes;
    private int offset;
    private int from;
    private int to;

    /**
     * At least one part, also of texts without words. Where they begin and how long they are is that of the last text, so
     * of use only if there is one.
     *
     * @param texts at least one, with what their words count, in this order
     */
    public List<Part> of(Map<String, Weight> texts) {
        parts = new ArrayList<>(1);
        terms = new HashMap<>();
        placesMost = 0;
        bytes = 0;
        offset = 0;
        texts.forEach((one, weight) -> {
            text = one;
            last = new ArrayDeque<>();
            from = 0;
            to = 0;
            int[] position = {0};
            analysis.analyze(one, token -> {
                // A part ends between words: never between a word and its stem.
                if (token.position() > position[0] && isFull(token)) {
                    endPart(weight);
                }
                position[0] = token.position();
                add(token, weight);
                last.add(token);
                while (last.peekFirst().position() <= token.position() - OVERLAP) {
                    last.removeFirst();
                }
            });
            offset -= 1 + position[0]; // a gap, so that no phrase reaches from one text into the next
        });
        addPart(text.length());
        List<Part> done = parts;
        parts = null;
        terms = null;
        text = null;
        last = null;
        return done;
    }

    private boolean isFull(Token token) {
        return token.position() - offset > POSITIONS_MAX || bytes > BYTES_MAX || placesMost >= PLACES_MAX;
    }

    private void endPart(Weight weight) {
        addPart(to);
        terms = new HashMap<>();
        placesMost = 0;
        bytes = 0;
        offset = last.peekFirst().position() - 1;
        from = last.peekFirst().start();
        last.forEach(token -> add(token, weight));
    }

    private void add(Token token, Weight weight) {
        Places places = terms.get(token.term());
        if (places == null) {
            places = new Places();
            terms.put(token.term(), places);
            bytes += token.term().getBytes(StandardCharsets.UTF_8).length;
        }
        placesMost = Math.max(placesMost, ++places.count);
        places.text.append(places.count == 1 ? ':' : ',').append(token.position() - offset);
        if (weight != Weight.TEXT) {
            places.text.append(weight.label);
        }
        to = token.end();
    }

    private void addPart(int end) {
        StringBuilder words = new StringBuilder(bytes + 8 * terms.size());
        terms.forEach(
                (term, places) -> TsText.quote(words, term).append(places.text).append(' '));
        int start = text.codePointCount(0, from);
        parts.add(new Part(start, text.codePointCount(from, Math.max(from, end)), words.toString()));
    }
}
