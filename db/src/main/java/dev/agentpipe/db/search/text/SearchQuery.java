package dev.agentpipe.db.search.text;

import java.util.ArrayList;
import java.util.List;

/**
 * What somebody looks for. Words must all be there; {@code "a phrase"} word for word; {@code -word} and {@code -"a phrase"}
 * must not; {@code begin*} finds what begins so. A word that has parts (an identifier, a path, a piece of Chinese) is a
 * phrase of them. Immutable.
 */
public final class SearchQuery {

    public static final int CHARS_MAX = 1_000;
    /** Words and phrases. */
    public static final int CLAUSES_MAX = 64;
    /** PostgreSQL reads all that begins so: much, where many do. */
    public static final int PREFIXES_MAX = 3;

    public static final int PREFIX_CHARS_MIN = 2;

    private static final int SHORT_PREFIX_CHARS = 4;

    /** It cannot be looked for; the message says why, for the one who asked. */
    public static final class UnusableException extends IllegalArgumentException {
        UnusableException(String message) {
            super(message);
        }
    }

    /**
     * A word of a phrase.
     *
     * @param distance how many positions after the one before it
     * @param isPrefix whether the word may go on
     */
    record Step(String term, int distance, boolean isPrefix) {

        boolean matches(Token token) {
            return isPrefix ? token.term().startsWith(term) : token.term().equals(term);
        }
    }

    /** One of these phrases must be there, or none of them. */
    record Clause(boolean isExcluded, List<List<Step>> alternatives) {}

    private final List<Clause> clauses;

    private SearchQuery(List<Clause> clauses) {
        this.clauses = List.copyOf(clauses);
    }

    /**
     * @param lastIsPrefix whether the last word may be only the beginning of one, as while somebody types
     * @throws UnusableException if it is too long or has too much in it
     */
    public static SearchQuery parse(String text, boolean lastIsPrefix) {
        if (text.length() > CHARS_MAX) {
            throw new UnusableException("at most " + CHARS_MAX + " characters");
        }
        List<Clause> clauses = new QueryParser(text, lastIsPrefix).clauses();
        if (clauses.size() > CLAUSES_MAX) {
            throw new UnusableException("at most " + CLAUSES_MAX + " words and phrases");
        }
        if (!clauses.isEmpty() && clauses.stream().allMatch(Clause::isExcluded)) {
            throw new UnusableException("a word to find, beside those to leave out");
        }
        long prefixes = clauses.stream()
                .flatMap(clause -> clause.alternatives().stream())
                .flatMap(List::stream)
                .filter(Step::isPrefix)
                .map(Step::term)
                .distinct()
                .count();
        if (prefixes > PREFIXES_MAX) {
            throw new UnusableException("at most " + PREFIXES_MAX + " words that end with *");
        }
        return new SearchQuery(clauses);
    }

    /** Nothing in it is a word: no text has it. */
    public boolean isEmpty() {
        return clauses.isEmpty();
    }

    private List<Clause> wanted() {
        return clauses.stream().filter(clause -> !clause.isExcluded()).toList();
    }

    /** As PostgreSQL's {@code tsquery}. */
    public String tsQuery() {
        return tsQuery(clauses, false);
    }

    /**
     * The same, but for the words of a phrase being one after the other. The index alone answers it, whereas for a phrase
     * PostgreSQL must look at every document that has its words.
     */
    public String wordsTsQuery() {
        return tsQuery(wanted(), true);
    }

    /** Whether all its words may be in a document without it. */
    public boolean hasPhrase() {
        return clauses.stream()
                .anyMatch(clause -> clause.alternatives().stream().anyMatch(one -> one.size() > 1));
    }

    /** Whether it asks for beginnings that very many words may have, which the index would have to gather. */
    public boolean hasShortPrefix() {
        return clauses.stream()
                .flatMap(clause -> clause.alternatives().stream())
                .flatMap(List::stream)
                .anyMatch(step -> step.isPrefix() && step.term().length() <= SHORT_PREFIX_CHARS);
    }

    /** What counts for the rank: PostgreSQL takes what must not be there for something that is missing. */
    public String rankTsQuery() {
        return tsQuery(wanted(), false);
    }

    private static String tsQuery(List<Clause> clauses, boolean anywhere) {
        StringBuilder out = new StringBuilder();
        for (Clause clause : clauses) {
            if (out.length() > 0) {
                out.append(" & ");
            }
            out.append(clause.isExcluded() ? "!(" : "(");
            for (int i = 0; i < clause.alternatives().size(); i++) {
                out.append(i == 0 ? "" : " | ");
                write(out, clause.alternatives().get(i), anywhere);
            }
            out.append(')');
        }
        return out.toString();
    }

    private static void write(StringBuilder out, List<Step> phrase, boolean anywhere) {
        for (int i = 0; i < phrase.size(); i++) {
            Step step = phrase.get(i);
            if (i > 0) {
                out.append(anywhere ? " & " : " <" + step.distance() + "> ");
            }
            TsText.quote(out, step.term());
            if (step.isPrefix()) {
                out.append(":*");
            }
        }
    }

    /** Where a text has what is looked for: UTF-16 units, in their order, those that touch as one. */
    List<Match> matches(List<Token> tokens) {
        List<Match> found = new ArrayList<>();
        List<Clause> wanted = wanted();
        TokenIndex index = new TokenIndex(tokens);
        for (int i = 0; i < wanted.size(); i++) {
            for (List<Step> phrase : wanted.get(i).alternatives()) {
                index.find(phrase, i, found);
            }
        }
        return Match.merged(found);
    }
}
