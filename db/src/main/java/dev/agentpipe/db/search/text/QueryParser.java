package dev.agentpipe.db.search.text;

import dev.agentpipe.db.search.text.SearchQuery.Clause;
import dev.agentpipe.db.search.text.SearchQuery.Step;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Reads a query. Never fails for its syntax: who types has not finished yet, so an open quote ends with the text. */
final class QueryParser {

    private static final String QUOTES = "\"\u201c\u201d\u201e\u00ab\u00bb";

    private final String text;
    private final boolean lastIsPrefix;
    private final Analysis analysis = new Analysis();
    /** A clause that is there twice asks for nothing more. */
    private final Set<Clause> clauses = new LinkedHashSet<>();

    QueryParser(String text, boolean lastIsPrefix) {
        this.text = text;
        this.lastIsPrefix = lastIsPrefix;
    }

    List<Clause> clauses() {
        int at = 0;
        while (at < text.length()) {
            if (isSpace(at)) {
                at++;
                continue;
            }
            boolean excluded = text.charAt(at) == '-' && at + 1 < text.length() && !isSpace(at + 1);
            int from = excluded ? at + 1 : at;
            if (isQuote(from)) {
                int end = from + 1;
                while (end < text.length() && !isQuote(end)) {
                    end++;
                }
                add(excluded, phrase(text.substring(from + 1, end)));
                at = end + 1;
            } else {
                int end = from;
                while (end < text.length() && !isSpace(end) && !isQuote(end)) {
                    end++;
                }
                add(excluded, word(text.substring(from, end), lastIsPrefix && end == text.length()));
                at = Math.max(end, from + 1);
            }
        }
        return new ArrayList<>(clauses);
    }

    private boolean isSpace(int at) {
        return Character.isWhitespace(text.charAt(at)) || Character.isSpaceChar(text.charAt(at));
    }

    private boolean isQuote(int at) {
        return QUOTES.indexOf(text.charAt(at)) >= 0;
    }

    private void add(boolean excluded, List<List<Step>> alternatives) {
        if (!alternatives.isEmpty()) {
            clauses.add(new Clause(excluded, alternatives));
        }
    }

    private List<List<Step>> phrase(String phrase) {
        List<Step> steps = steps(analysis.tokens(phrase), false);
        return steps.isEmpty() ? List.of() : List.of(steps);
    }

    /** What stands between spaces. */
    private List<List<Step>> word(String word, boolean typing) {
        boolean starred = word.length() > 1 && word.endsWith("*");
        List<Token> tokens = analysis.tokens(starred ? word.substring(0, word.length() - 1) : word);
        if (tokens.isEmpty()) {
            return List.of();
        }
        Token last = tokens.stream()
                .filter(token -> token.kind() == Token.Kind.WORD)
                .reduce((first, second) -> second)
                .orElse(null);
        // A single character of Chinese is looked for as such: it is in the index by itself.
        boolean prefix = last != null
                && tokens.get(tokens.size() - 1).position() == last.position()
                && (starred || typing && last.term().length() > SearchQuery.PREFIX_CHARS_MIN);
        if (prefix && starred && tokens.size() == 1 && last.term().length() < SearchQuery.PREFIX_CHARS_MIN) {
            throw new SearchQuery.UnusableException(
                    "at least " + SearchQuery.PREFIX_CHARS_MIN + " characters before a *");
        }
        boolean partIsPrefix = prefix && last.term().length() >= SearchQuery.PREFIX_CHARS_MIN;
        List<List<Step>> alternatives = new ArrayList<>();
        List<Step> parts = steps(tokens, partIsPrefix);
        alternatives.add(parts);
        for (Token token : tokens) {
            if (token.kind() == Token.Kind.STEM && parts.size() == 1 && !prefix) {
                alternatives.add(List.of(new Step(token.term(), 0, false)));
            } else if (token.kind() == Token.Kind.WHOLE
                    && token.positions() == parts.size()
                    && !token.term().equals(parts.get(0).term())) {
                alternatives.add(List.of(new Step(token.term(), 0, prefix)));
            }
        }
        return alternatives;
    }

    /** Words as they follow each other; of characters without spaces the pairs, which are rarer. */
    private static List<Step> steps(List<Token> tokens, boolean lastIsPrefix) {
        List<Step> steps = new ArrayList<>();
        int before = 0;
        int pairedUpTo = 0;
        for (int i = 0; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            boolean usable = switch (token.kind()) {
                case WORD -> true;
                case PAIR -> true;
                case CHARACTER -> token.position() > pairedUpTo && !startsPair(tokens, i);
                case STEM, WHOLE, EXTRA -> false;
            };
            if (usable) {
                steps.add(new Step(token.term(), steps.isEmpty() ? 0 : token.position() - before, false));
                before = token.position();
                if (token.kind() == Token.Kind.PAIR) {
                    pairedUpTo = token.position() + 1;
                }
            }
        }
        if (lastIsPrefix) {
            Step last = steps.remove(steps.size() - 1);
            steps.add(new Step(last.term(), last.distance(), true));
        }
        return steps;
    }

    /** Its pair comes after it, before the next character. */
    private static boolean startsPair(List<Token> tokens, int i) {
        return i + 1 < tokens.size() && tokens.get(i + 1).kind() == Token.Kind.PAIR;
    }
}
