package dev.agentpipe.core.redact;

import static dev.agentpipe.core.redact.Chars.ALNUM;
import static dev.agentpipe.core.redact.Chars.DIGIT;
import static dev.agentpipe.core.redact.Chars.ENDS_VALUE;
import static dev.agentpipe.core.redact.Chars.LOWER;
import static dev.agentpipe.core.redact.Chars.PLUS_SLASH;
import static dev.agentpipe.core.redact.Chars.QUOTE;
import static dev.agentpipe.core.redact.Chars.UPPER;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/**
 * What stands behind a name that announces a secret, and whether it is one: in prose, in code and in documentation it mostly
 * is not ({@code token = getToken()}, {@code password: required}, {@code --api-key <key>}).
 *
 * @param to where it ends, or where it was no longer looked at
 * @param quote the quote around it; 0 without
 */
record SecretValue(int from, int to, byte quote) {

    static final int LOOKED_AT_CHARS_MAX = 128;

    private static final int QUOTED_CHARS_MIN = 6;
    private static final int PLAIN_CHARS_MIN = 8;
    private static final int MEMBER_CHARS_MIN = 4;
    private static final int WORD_CHARS_MAX = 10;
    private static final int SCHEME_CHARS_MAX = 12;
    private static final int FOLDER_CHARS_MAX = 12;

    /** What documentation, schemas and messages of errors say. */
    private static final Set<String> WORDS = Set.of(
            "null",
            "none",
            "true",
            "false",
            "string",
            "required",
            "optional",
            "hidden",
            "missing",
            "invalid",
            "redacted",
            "password");

    private static final Set<String> SCHEMES = Set.of("basic", "bearer", "token", "apikey", "key", "negotiate");

    /** Null if nothing stands here. */
    static SecretValue at(byte[] text, int start, int to) {
        int from = start;
        while (from < to && from - start < 8 && text[from] == '\\') { // JSON in JSON
            from++;
        }
        if (from >= to) {
            return null;
        }
        boolean quoted = Chars.is(QUOTE, text[from]);
        SecretValue value = new SecretValue(quoted ? from + 1 : start, 0, quoted ? text[from] : 0);
        int end = value.end(text, Math.min(to, value.from + LOOKED_AT_CHARS_MAX));
        return end <= value.from ? null : new SecretValue(value.from, end, value.quote);
    }

    /** Where it ends at last. */
    int end(byte[] text, int limit) {
        int at = from;
        if (quote == 0) {
            while (at < limit && text[at] >= 0 && !Chars.is(ENDS_VALUE, text[at])) {
                at++;
            }
        } else {
            while (at < limit && text[at] != quote && text[at] != '\n') {
                at++;
            }
        }
        while (at > from && (text[at - 1] == '\\' || quote == 0 && text[at - 1] == '.')) {
            at--;
        }
        return at;
    }

    boolean looksSecret(byte[] text, SecretName name) {
        int length = to - from;
        if (length < (quote == 0 ? PLAIN_CHARS_MIN : QUOTED_CHARS_MIN) || isTemplate(text, from, to) || isPath(text)) {
            return false;
        }
        int digits = 0;
        int letters = 0;
        for (int i = from; i < to; i++) {
            if (text[i] == '(' || text[i] == ' ') { // a call, a sentence
                return false;
            }
            digits += Chars.is(DIGIT, text[i]) ? 1 : 0;
            letters += Chars.is(UPPER | LOWER, text[i]) ? 1 : 0;
        }
        return digits > 0 && (letters > 0 || name == SecretName.STRICT && digits == length);
    }

    /** As the argument of an option: whatever it is, but for another option. */
    boolean isArgument(byte[] text) {
        return text[from] != '-' && !isTemplate(text, from, to);
    }

    /** As a whole string under a name in JSON, where hardly anything is prose. */
    static boolean isMember(byte[] text, int from, int to, SecretName name, boolean isCommand) {
        SecretValue value = new SecretValue(from, to, (byte) '"');
        if (from == to || isCommand) {
            return from < to && value.isArgument(text);
        }
        if (name != SecretName.STRICT) {
            return value.looksSecret(text, name);
        }
        boolean hasSpace = false;
        for (int i = from; i < Math.min(to, from + LOOKED_AT_CHARS_MAX); i++) {
            hasSpace |= text[i] == ' ' || text[i] == '\n';
        }
        return to - from >= MEMBER_CHARS_MIN
                && !hasSpace
                && !isTemplate(text, from, to)
                && !isWord(text, from, to)
                && !value.isPath(text);
    }

    private static boolean isWord(byte[] text, int from, int to) {
        return to - from <= WORD_CHARS_MAX
                && WORDS.contains(
                        new String(text, from, to - from, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT));
    }

    /** After {@code Basic } and the like; where the value begins, if it begins with none. */
    int afterScheme(byte[] text) {
        int at = from;
        while (at < to && at - from < SCHEME_CHARS_MAX && Chars.is(UPPER | LOWER, text[at])) {
            at++;
        }
        String scheme = new String(text, from, at - from, StandardCharsets.ISO_8859_1).toLowerCase(Locale.ROOT);
        return at + 1 < text.length && text[at] == ' ' && SCHEMES.contains(scheme) ? at + 1 : from;
    }

    /** {@code ${NAME}}, {@code <token>}, {@code {{ token }}}, {@code %s}, {@code xxxx}, {@code your-key}, {@code abc...}. */
    static boolean isTemplate(byte[] text, int from, int to) {
        byte first = text[from];
        if ("$<{[(*".indexOf(first) >= 0) {
            return true;
        }
        if (first == '%' && (to - from == 2 || text[from + 1] == '(' || text[from + 1] == '{')) {
            return true;
        }
        if (startsWithYour(text, from, to) || to - from >= 3 && text[to - 1] == '.' && text[to - 2] == '.') {
            return true;
        }
        for (int i = from; i < to; i++) {
            if (text[i] != first || Chars.is(DIGIT, first)) {
                return false;
            }
        }
        return to - from > 2; // one letter, again and again
    }

    private static boolean startsWithYour(byte[] text, int from, int to) {
        return to - from > 4
                && Chars.lower(text[from]) == 'y'
                && Chars.lower(text[from + 1]) == 'o'
                && Chars.lower(text[from + 2]) == 'u'
                && Chars.lower(text[from + 3]) == 'r'
                && !Chars.is(ALNUM, text[from + 4]);
    }

    /** {@code /home/…}: many variables that end in PWD, and files that hold a secret. */
    private boolean isPath(byte[] text) {
        if (text[from] != '/') {
            return false;
        }
        int at = from + 1;
        while (at < to && at - from < FOLDER_CHARS_MAX && Chars.is(UPPER | LOWER, text[at])) {
            at++;
        }
        return at - from > 2 && at < to && Chars.is(PLUS_SLASH, text[at]) && text[at] == '/';
    }
}
