package dev.agentpipe.db.search.text;

import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.analysis.tokenattributes.OffsetAttribute;
import org.apache.lucene.analysis.tokenattributes.TypeAttribute;
import org.tartarus.snowball.ext.EnglishStemmer;

/**
 * Takes texts apart into what they are found by. Words are those of Unicode (UAX #29, by Lucene), in small letters and
 * without accents.
 *
 * <ul>
 *   <li>Identifiers ({@code getUserName}, {@code snake_case}, {@code queue.take}, {@code utf8}) are found whole and by
 *       their parts, which have positions one after the other: a part is a word, the parts together are a phrase.
 *   <li>English words are found by their stem, too: {@code running} has {@code running} and {@code run}.
 *   <li>Chinese, Japanese, Korean, Thai and the like are found by single characters and by pairs of neighbours, so by any
 *       piece of them: a phrase of pairs. Where words begin needs no dictionary then.
 *   <li>An emoji is a word, whatever its skin.
 * </ul>
 *
 * <p>There are no stop words: "to be or not to be" is found. Not thread-safe; expensive to make, so keep one for a thread.
 */
final class Analysis {

    /** Of what this class makes of a text. Count it up with each change, and all documents are made anew. */
    static final int VERSION = 1;

    /** An identifier with more parts (a hash, base64, a minified name) is no use in parts, and would cost much. */
    private static final int PARTS_MAX = 12;

    /** Between digits and letters; more changes mean hexadecimal digits. */
    private static final int DIGIT_CHANGES_MAX = 3;

    private static final int STEM_CHARS_MIN = 3;

    private final StandardTokenizer tokenizer = new StandardTokenizer();
    private final CharTermAttribute term = tokenizer.getAttribute(CharTermAttribute.class);
    private final OffsetAttribute offset = tokenizer.getAttribute(OffsetAttribute.class);
    private final TypeAttribute type = tokenizer.getAttribute(TypeAttribute.class);
    private final EnglishStemmer stemmer = new EnglishStemmer();

    private String text;
    private Consumer<Token> tokens;
    private int position;

    /** The last character of a script without spaces, which makes a pair if the next one follows at once; else null. */
    private String character;

    private int characterStart;
    private int characterEnd;

    List<Token> tokens(String text) {
        List<Token> all = new ArrayList<>();
        analyze(text, all::add);
        return all;
    }

    /** @param tokens given each token, in the order of their positions */
    void analyze(String text, Consumer<Token> tokens) {
        this.text = text;
        this.tokens = tokens;
        position = 0;
        character = null;
        try (StandardTokenizer words = tokenizer) {
            words.setReader(new StringReader(text));
            words.reset();
            while (words.incrementToken()) {
                String word = term.toString();
                switch (type.type()) {
                    case "<IDEOGRAPHIC>", "<HIRAGANA>", "<KATAKANA>", "<HANGUL>", "<SOUTHEAST_ASIAN>" ->
                        characters(word, offset.startOffset());
                    case "<EMOJI>" -> emoji(word);
                    default -> word(word);
                }
            }
            words.end();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            this.text = null;
            this.tokens = null;
        }
    }

    private void add(Token.Kind kind, String term, int at, int positions, int start, int end) {
        if (term.isEmpty()) {
            return; // of some characters nothing is left, and PostgreSQL has no empty words
        }
        tokens.accept(new Token(kind, term, at, positions, start, end));
    }

    private void characters(String run, int start) {
        for (int i = 0; i < run.length(); ) {
            int end = i + Character.charCount(run.codePointAt(i));
            String next = folded(run.substring(i, end));
            if (character != null && characterEnd == start + i) {
                add(Token.Kind.PAIR, character + next, position, 2, characterStart, start + end);
            }
            character = next;
            characterStart = start + i;
            characterEnd = start + end;
            add(Token.Kind.CHARACTER, next, ++position, 1, characterStart, characterEnd);
            i = end;
        }
    }

    private void emoji(String word) {
        StringBuilder plain = new StringBuilder();
        word.codePoints()
                .filter(c -> c != 0xFE0F && (c < 0x1F3FB || c > 0x1F3FF))
                .forEach(plain::appendCodePoint);
        add(Token.Kind.WORD, plain.toString(), ++position, 1, offset.startOffset(), offset.endOffset());
    }

    private void word(String written) {
        int start = offset.startOffset();
        int end = offset.endOffset();
        String word = normalized(written);
        String suffix = symbolsAfter(word, end);
        if (!suffix.isEmpty()) { // C++, C#, i++
            String plain = folded(word);
            add(Token.Kind.WORD, plain + suffix, ++position, 1, start, end + suffix.length());
            add(Token.Kind.EXTRA, plain, position, 1, start, end);
            return;
        }
        List<int[]> parts = parts(word);
        if (parts.isEmpty()) {
            return; // nothing but _
        }
        if (parts.size() > 1 || parts.get(0)[1] - parts.get(0)[0] < word.length()) {
            add(Token.Kind.WHOLE, folded(word), position + 1, parts.size(), start, end);
        }
        boolean inPlace = word.length() == end - start;
        for (int[] part : parts) {
            String folded = folded(word.substring(part[0], part[1]));
            int partStart = inPlace ? start + part[0] : start;
            int partEnd = inPlace ? start + part[1] : end;
            add(Token.Kind.WORD, folded, ++position, 1, partStart, partEnd);
            String stem = stem(folded);
            if (!stem.equals(folded)) {
                add(Token.Kind.STEM, stem, position, 1, partStart, partEnd);
            }
        }
    }

    /** Names of some languages, and of nothing else worth it. */
    private String symbolsAfter(String word, int end) {
        if (word.length() > 2) {
            return "";
        }
        if (text.startsWith("++", end)) {
            return "++";
        }
        boolean sharp = text.startsWith("#", end)
                && (end + 1 == text.length() || !Character.isLetterOrDigit(text.codePointAt(end + 1)));
        return sharp ? "#" : "";
    }

    /** Beginnings and ends: between what is no letter or digit, from small to capital letters, between letters and digits. */
    private static List<int[]> parts(String word) {
        List<int[]> parts = parts(word, true);
        if (parts.size() > DIGIT_CHANGES_MAX) {
            List<int[]> withoutDigits = parts(word, false);
            if (parts.size() - withoutDigits.size() > DIGIT_CHANGES_MAX) {
                parts = withoutDigits;
            }
        }
        return parts.size() > PARTS_MAX ? List.of(new int[] {0, word.length()}) : parts;
    }

    private static List<int[]> parts(String word, boolean atDigits) {
        List<int[]> parts = new ArrayList<>(2);
        int from = -1;
        int before = 0;
        for (int i = 0; i < word.length(); ) {
            int c = word.codePointAt(i);
            int after = i + Character.charCount(c);
            if (isDelimiter(c)) {
                if (from >= 0) {
                    parts.add(new int[] {from, i});
                }
                from = -1;
            } else if (from < 0) {
                from = i;
            } else if (isBorder(before, c, after < word.length() ? word.codePointAt(after) : 0, atDigits)) {
                parts.add(new int[] {from, i});
                from = i;
            }
            before = c;
            i = after;
        }
        if (from >= 0) {
            parts.add(new int[] {from, word.length()});
        }
        return parts;
    }

    private static boolean isDelimiter(int c) {
        return c < 128
                ? !Character.isLetterOrDigit(c)
                : switch (Character.getType(c)) {
                    case Character.CONNECTOR_PUNCTUATION,
                            Character.OTHER_PUNCTUATION,
                            Character.FINAL_QUOTE_PUNCTUATION -> true;
                    default -> false;
                };
    }

    /** The last capital of several begins the next word: HTTPServer is http and server. */
    private static boolean isBorder(int before, int c, int after, boolean atDigits) {
        if (Character.isDigit(before) != Character.isDigit(c)) {
            return atDigits && (Character.isLetter(before) || Character.isLetter(c));
        }
        return Character.isUpperCase(c)
                && (Character.isLowerCase(before) || Character.isUpperCase(before) && Character.isLowerCase(after));
    }

    private static boolean isAscii(String word) {
        for (int i = 0; i < word.length(); i++) {
            if (word.charAt(i) >= 128) {
                return false;
            }
        }
        return true;
    }

    private static String normalized(String word) {
        return isAscii(word)
                ? word
                : Normalizer.normalize(word, Normalizer.Form.NFKC).replace('\u2019', '\'');
    }

    /** Not by String.toLowerCase, which follows the locale. */
    private static String folded(String word) {
        char[] chars = word.toCharArray();
        boolean ascii = true;
        for (int i = 0; i < chars.length; i++) {
            chars[i] = Character.toLowerCase(chars[i]);
            ascii &= chars[i] < 128;
        }
        if (ascii) {
            return new String(chars);
        }
        String small = Normalizer.normalize(new String(chars), Normalizer.Form.NFKC);
        char[] folded = new char[4 * small.length()];
        int length = ASCIIFoldingFilter.foldToASCII(small.toCharArray(), 0, folded, 0, small.length());
        return new String(folded, 0, length);
    }

    private String stem(String word) {
        if (word.length() < STEM_CHARS_MIN) {
            return word;
        }
        for (int i = 0; i < word.length(); i++) {
            if (word.charAt(i) < 'a' || word.charAt(i) > 'z') {
                return word;
            }
        }
        stemmer.setCurrent(word);
        stemmer.stem();
        return stemmer.getCurrent();
    }
}
