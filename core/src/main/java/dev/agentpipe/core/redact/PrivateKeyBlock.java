package dev.agentpipe.core.redact;

import static dev.agentpipe.core.redact.Chars.ALNUM;
import static dev.agentpipe.core.redact.Chars.BASE64;
import static dev.agentpipe.core.redact.Chars.DOT;
import static dev.agentpipe.core.redact.Chars.SPACE;
import static dev.agentpipe.core.redact.Chars.WORD;

import java.nio.charset.StandardCharsets;

/**
 * A private key in the armor of PEM (RFC 7468) or OpenPGP: with its end or cut off before it, over lines, in one line, or
 * in the source of a program, with quotes and {@code \n}.
 */
final class PrivateKeyBlock {

    static final byte[] BEGIN = ascii("-----BEGIN ");
    private static final byte[] END = ascii("-----END ");
    private static final byte[] DASHES = ascii("-----");
    private static final byte[] PRIVATE_KEY = ascii("PRIVATE KEY");

    /** Of a label such as {@code RSA PRIVATE KEY}. */
    private static final int LABEL_CHARS_MAX = 48;

    /** Of a key of 16,384 bits: 12,700. */
    private static final int BODY_CHARS_MAX = 64 << 10;

    /** A line of a key that is no last one has 64 or more; a word of a language hardly ever. */
    private static final int WHOLE_LINE_CHARS = 40;

    /** That what stands between the markers is no placeholder. */
    private static final int KEY_CHARS_MIN = 16;

    private final byte[] text;
    private final int to;

    PrivateKeyBlock(byte[] text, int to) {
        this.text = text;
        this.to = to;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** Where the block ends that begins here with {@link #BEGIN}; -1 if it is none. */
    int end(int start) {
        int bodyFrom = afterLabel(start + BEGIN.length);
        if (bodyFrom < 0) {
            return -1;
        }
        int marker = bodyFrom; // Each gap between two markers is searched once, so this is linear.
        while (marker < to && marker - bodyFrom < BODY_CHARS_MAX && !startsWith(marker, DASHES)) {
            marker++;
        }
        if (startsWith(marker, END)) {
            int end = afterLabel(marker + END.length);
            if (end >= 0) {
                return hasKey(bodyFrom, marker) ? end : -1;
            }
        }
        return endOfTruncated(bodyFrom, marker);
    }

    /** After the dashes that follow the label; -1 if it names no private key. */
    private int afterLabel(int from) {
        int labelEnd = from;
        boolean isPrivateKey = false;
        while (labelEnd < to && labelEnd - from < LABEL_CHARS_MAX && text[labelEnd] != '-') {
            isPrivateKey |= startsWith(labelEnd, PRIVATE_KEY);
            labelEnd++;
        }
        return isPrivateKey && startsWith(labelEnd, DASHES) ? labelEnd + DASHES.length : -1;
    }

    private boolean hasKey(int from, int end) {
        int run = 0;
        for (int i = from; i < end; i++) {
            run = Chars.is(BASE64, text[i]) ? run + 1 : 0;
            if (run >= KEY_CHARS_MIN) {
                return true;
            }
        }
        return false;
    }

    /** Goes on as long as there are lines of a key. */
    private int endOfTruncated(int from, int limit) {
        int end = -1;
        int at = from;
        while (true) {
            at = skipBetweenLines(at, limit);
            int lineEnd = at;
            while (lineEnd < limit && Chars.is(BASE64, text[lineEnd])) {
                lineEnd++;
            }
            int length = lineEnd - at;
            if (length >= WHOLE_LINE_CHARS || length > 0 && endsLine(lineEnd, limit)) {
                end = end > 0 || length >= KEY_CHARS_MIN ? lineEnd : end;
                at = lineEnd;
            } else if (end < 0 && length > 0 && isHeader(lineEnd, limit)) { // such as DEK-Info
                at = endOfLine(lineEnd, limit);
            } else {
                return end;
            }
        }
    }

    private int skipBetweenLines(int from, int limit) {
        int at = from;
        while (at < limit) {
            if (text[at] == '\\' && at + 1 < limit) {
                at += 2; // a line break in the source of a program
            } else if (Chars.is(SPACE, text[at]) || text[at] == '"' || text[at] == '\'' || text[at] == '>') {
                at++;
            } else if (text[at] == '+' && at + 1 < limit && !Chars.is(BASE64, text[at + 1])) {
                at++; // joins strings
            } else {
                return at;
            }
        }
        return at;
    }

    private boolean endsLine(int at, int limit) {
        return at >= limit
                || !Chars.is(WORD | DOT, text[at]) && text[at] != ' ' && text[at] != ':' && text[at] != ','
                || text[at] == '.' && at + 1 < limit && text[at + 1] == '.';
    }

    private boolean isHeader(int from, int limit) {
        int at = from;
        while (at < limit && Chars.is(ALNUM | Chars.DASH, text[at])) {
            at++;
        }
        return at < limit && text[at] == ':';
    }

    private int endOfLine(int from, int limit) {
        int at = from;
        while (at < limit && text[at] != '\n' && text[at] != '\\') {
            at++;
        }
        return at;
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
}
