package dev.agentpipe.core.redact;

import static dev.agentpipe.core.redact.Chars.ALNUM;
import static dev.agentpipe.core.redact.Chars.DIGIT;
import static dev.agentpipe.core.redact.Chars.ENDS_USER_INFO;
import static dev.agentpipe.core.redact.Chars.SPACE;
import static dev.agentpipe.core.redact.Chars.TOKEN68;
import static dev.agentpipe.core.redact.Chars.WORD;

/**
 * Finds the secrets of a text: one pass from left to right. At most characters there is nothing to do. A few may begin or
 * announce a secret: the first of a word, and {@code : = -}. From there it looks ahead, a bounded number of characters until
 * it is sure; then it takes the secret to its end and goes on behind it. So no text, however made, takes more than time
 * in proportion to its length; regular expressions, of which this would take some forty, promise that only in
 * engines that are slower by far.
 *
 * <p>One thread; for any number of texts.
 */
final class SecretScanner {

    private static final int IN_WORD = 1;

    /** Begins something, if it is the first of a word: twice {@link #IN_WORD}, see {@link #scan}. */
    private static final int BEGINS = 2;

    private static final int OPERATOR = 4;
    private static final int DASH = 8;

    /** What a character is. */
    private static final byte[] ROLES = new byte[256];

    static {
        for (int c = 0; c < 128; c++) {
            boolean begins = KeyFormat.beginningWith((byte) c).length > 0 || c == 'e' || c == 'b' || c == 'B';
            ROLES[c] = (byte) ((Chars.is(ALNUM, (byte) c) ? IN_WORD : 0) | (begins ? BEGINS : 0));
        }
        ROLES[':'] = OPERATOR;
        ROLES['='] = OPERATOR;
        ROLES['-'] = DASH;
    }

    private static final byte[] BEARER = {'b', 'e', 'a', 'r', 'e', 'r'};
    private static final int BEARER_CHARS_MIN = 16;
    private static final int AUTHORIZATION_CHARS_MIN = 8;
    private static final int JWT_PART_CHARS_MIN = 10;
    private static final int USER_INFO_CHARS_MAX = 1_024;
    private static final int FLAG_CHARS_MAX = 40;

    private final Found found;
    private byte[] text;
    private int from;
    private int to;
    private boolean isCommand;

    /** The colon between a URL's user and password, where the last URL had both, and where that password ends. */
    private int passwordColon;

    private int passwordEnd;

    /** Up to here no JWT begins: the dots behind it were looked for. */
    private int noJwtBefore;

    SecretScanner(Found found) {
        this.found = found;
    }

    /** @param isCommand whether the text is a command line, in which an option's argument is taken whatever it looks like */
    void scan(byte[] bytes, int start, int end, boolean isCommandLine) {
        text = bytes;
        from = start;
        to = end;
        isCommand = isCommandLine;
        passwordColon = -1;
        noJwtBefore = -1;
        int before = 0;
        int at = start;
        while (at < end) {
            int role = ROLES[bytes[at] & 0xFF];
            int next = 0;
            if ((role & BEGINS & ~(before << 1)) != 0) {
                next = word(at);
            } else if (role >= OPERATOR) {
                next = role == OPERATOR ? operator(at) : dash(at);
            }
            if (next > at) {
                at = next;
                from = next; // what follows is judged as it is when a mark stands before it
                before = 0;
            } else {
                at++;
                before = role;
            }
        }
    }

    /** A whole text that is the value of a name. */
    void scanMember(byte[] bytes, int start, int end, SecretName name, boolean isCommandLine) {
        text = bytes;
        from = start;
        to = end;
        if (name == SecretName.AUTHORIZATION) {
            authorization(new SecretValue(start, end, (byte) '"'));
        } else if (name != SecretName.NONE && SecretValue.isMember(bytes, start, end, name, isCommandLine)) {
            found(start, end, SecretKind.SECRET);
        }
    }

    private int found(int start, int end, SecretKind kind) {
        found.add(start, end, kind);
        return end;
    }

    /** This and the next two: where to go on, if something was found; else 0. */
    private int word(int at) {
        int end = key(at, true);
        if (end > 0) {
            return end;
        }
        byte first = text[at];
        if (first == 'e') {
            end = jwtEnd(at);
            return end > 0 ? found(at, end, SecretKind.JWT) : 0;
        }
        return first == 'b' || first == 'B' ? bearer(at) : 0;
    }

    /** A key that is known by how it begins. */
    private int key(int at, boolean take) {
        if (at + 1 >= to || !KeyFormat.mayBeginWith(text[at], text[at + 1])) {
            return 0;
        }
        for (KeyFormat format : KeyFormat.beginningWith(text[at])) {
            int end = format.end(text, at, to);
            if (end > 0) {
                return take ? found(at + format.kept(), end, format.kind()) : end;
            }
        }
        return 0;
    }

    private int jwtEnd(int at) {
        if (at < noJwtBefore || at + 3 > to || text[at + 1] != 'y' || text[at + 2] != 'J') {
            return 0;
        }
        int header = run(WORD, at);
        int payload = header < to && text[header] == '.' ? run(WORD, header + 1) : header;
        if (header - at < JWT_PART_CHARS_MIN || payload - header <= JWT_PART_CHARS_MIN || payload == to) {
            noJwtBefore = header;
            return payload == to && payload - header > JWT_PART_CHARS_MIN ? payload : 0;
        }
        return text[payload] == '.' ? run(WORD, payload + 1) : payload;
    }

    private int run(int classes, int start) {
        int at = start;
        while (at < to && Chars.is(classes, text[at])) {
            at++;
        }
        return at;
    }

    private int bearer(int at) {
        if (at + BEARER.length + 1 + BEARER_CHARS_MIN > to) {
            return 0;
        }
        for (int i = 1; i < BEARER.length; i++) {
            if (Chars.lower(text[at + i]) != BEARER[i]) {
                return 0;
            }
        }
        int token = skipBlanks(at + BEARER.length);
        if (token == at + BEARER.length || isKnownKey(token)) {
            return 0;
        }
        boolean hasDigit = false;
        for (int i = 0; i < BEARER_CHARS_MIN || !hasDigit; i++) {
            if (token + i >= to || i == SecretValue.LOOKED_AT_CHARS_MAX || !Chars.is(TOKEN68, text[token + i])) {
                return 0;
            }
            hasDigit |= Chars.is(DIGIT, text[token + i]);
        }
        return found(token, endOfToken(token), SecretKind.BEARER_TOKEN);
    }

    private int endOfToken(int token) {
        int end = run(TOKEN68, token);
        while (end > token + 1 && text[end - 1] == '.') { // of the sentence
            end--;
        }
        return end;
    }

    /** Whether it is found as what it is, when the scan comes there. */
    private boolean isKnownKey(int at) {
        return at < to && (key(at, false) > 0 || text[at] == 'e' && jwtEnd(at) > 0);
    }

    private int skipBlanks(int start) {
        int at = start;
        while (at < to && at - start < 8 && (text[at] == ' ' || text[at] == '\t')) {
            at++;
        }
        return at;
    }

    private int dash(int at) {
        if (at + 3 > to || text[at + 1] != '-') {
            return 0;
        }
        if (text[at + 2] == '-') {
            return startsWith(at, PrivateKeyBlock.BEGIN) ? privateKey(at) : 0;
        }
        if (at > from && text[at - 1] == '-') {
            return 0;
        }
        int name = at + 2;
        int nameEnd = name;
        while (nameEnd < to && nameEnd - name < FLAG_CHARS_MAX && Chars.is(WORD, text[nameEnd])) {
            nameEnd++;
        }
        if (nameEnd == to || !Chars.is(SPACE, text[nameEnd])) {
            return 0;
        }
        SecretName secret = SecretName.endingAt(text, name, nameEnd);
        return secret == SecretName.NONE ? 0 : value(nameEnd, secret);
    }

    private int privateKey(int at) {
        int end = new PrivateKeyBlock(text, to).end(at);
        return end > 0 ? found(at, end, SecretKind.PRIVATE_KEY) : 0;
    }

    private boolean startsWith(int at, byte[] start) {
        if (at + start.length > to) {
            return false;
        }
        for (int i = 0; i < start.length; i++) {
            if (text[at + i] != start[i]) {
                return false;
            }
        }
        return true;
    }

    private int operator(int at) {
        if (at == passwordColon) {
            return found(at + 1, passwordEnd, SecretKind.PASSWORD);
        }
        if (at + 1 >= to) {
            return 0;
        }
        boolean isColon = text[at] == ':';
        if (isColon && text[at + 1] == '/' && at + 2 < to && text[at + 2] == '/') {
            userInfo(at + 3);
            return 0;
        }
        if (at == from) {
            return 0;
        }
        if (text[at + 1] == '=') { // ":=" is one with the next; "==" compares
            return 0;
        }
        SecretName name = nameBefore(at);
        if (name == SecretName.NONE) {
            return 0;
        }
        return value(!isColon && text[at + 1] == '>' ? at + 2 : at + 1, name);
    }

    /** Notes the password, for when the scan comes there: the user may be a key itself. */
    private void userInfo(int start) {
        int limit = Math.min(to, start + USER_INFO_CHARS_MAX);
        int colon = -1;
        int host = -1;
        for (int at = start; at < limit && !Chars.is(ENDS_USER_INFO, text[at]); at++) {
            if (text[at] == ':' && colon < 0) {
                colon = at;
            } else if (text[at] == '@') {
                host = at;
            }
        }
        if (colon >= 0 && host > colon + 1 && !SecretValue.isTemplate(text, colon + 1, host)) {
            passwordColon = colon;
            passwordEnd = host;
        }
    }

    private SecretName nameBefore(int operator) {
        int end = operator;
        if (text[end - 1] == ':') {
            end--;
        }
        if (end > from && text[end - 1] == ' ') {
            end--;
        }
        if (end > from && Chars.is(Chars.QUOTE, text[end - 1])) {
            end--;
        }
        while (end > from && operator - end < 8 && text[end - 1] == '\\') {
            end--;
        }
        return SecretName.endingAt(text, Math.max(from, end - FLAG_CHARS_MAX), end);
    }

    private int value(int start, SecretName name) {
        SecretValue value = SecretValue.at(text, skipBlanks(start), to);
        if (value == null || isKnownKey(value.from())) {
            return 0;
        }
        if (name == SecretName.AUTHORIZATION) {
            return authorization(value);
        }
        if (isCommand ? !value.isArgument(text) : !value.looksSecret(text, name)) {
            return 0;
        }
        return found(value.from(), value.end(text, to), SecretKind.SECRET);
    }

    private int authorization(SecretValue value) {
        int token = value.afterScheme(text);
        int end = endOfToken(token);
        boolean isToken = token == value.from()
                ? value.looksSecret(text, SecretName.AUTHORIZATION)
                : end - token >= AUTHORIZATION_CHARS_MIN && !SecretValue.isTemplate(text, token, end);
        return isToken && !isKnownKey(token) ? found(token, end, SecretKind.BEARER_TOKEN) : 0;
    }
}
