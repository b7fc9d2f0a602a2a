package dev.agentpipe.core.redact;

/**
 * Classes of bytes of a text. A text here is one byte a character, in which all that is not ASCII is negative: no secret
 * has any of it, and it stands beside one like a space does.
 */
final class Chars {

    static final int UPPER = 1;
    static final int LOWER = 1 << 1;
    static final int DIGIT = 1 << 2;
    static final int UNDERSCORE = 1 << 3;
    static final int DASH = 1 << 4;
    static final int DOT = 1 << 5;
    static final int PLUS_SLASH = 1 << 6;
    static final int EQUALS = 1 << 7;
    static final int TILDE = 1 << 8;
    static final int PERCENT = 1 << 9;
    /** Blanks, line breaks, control characters. */
    static final int SPACE = 1 << 10;

    static final int QUOTE = 1 << 11;
    static final int ENDS_USER_INFO = 1 << 12;
    static final int ENDS_VALUE = 1 << 13;

    static final int ALNUM = UPPER | LOWER | DIGIT;
    static final int WORD = ALNUM | UNDERSCORE | DASH;
    static final int BASE64 = ALNUM | PLUS_SLASH | EQUALS;
    /** RFC 6750, section 2.1: token68. */
    static final int TOKEN68 = BASE64 | DASH | DOT | UNDERSCORE | TILDE;

    private static final int[] CLASSES = new int[128];

    static {
        for (int c = 0; c < 128; c++) {
            CLASSES[c] = c >= 'A' && c <= 'Z' ? UPPER : c >= 'a' && c <= 'z' ? LOWER : c >= '0' && c <= '9' ? DIGIT : 0;
        }
        add("_", UNDERSCORE);
        add("-", DASH);
        add(".", DOT);
        add("+/", PLUS_SLASH);
        add("=", EQUALS);
        add("~", TILDE);
        add("%", PERCENT);
        for (int c = 0; c <= ' '; c++) {
            CLASSES[c] = SPACE | ENDS_USER_INFO | ENDS_VALUE;
        }
        add("\"'`", QUOTE | ENDS_USER_INFO | ENDS_VALUE);
        add("\\<>", ENDS_USER_INFO | ENDS_VALUE);
        add("/?#", ENDS_USER_INFO);
        add(",;()[]{}|&", ENDS_VALUE);
    }

    private Chars() {}

    private static void add(String chars, int classes) {
        for (int i = 0; i < chars.length(); i++) {
            CLASSES[chars.charAt(i)] |= classes;
        }
    }

    static boolean is(int classes, byte b) {
        return b >= 0 && (CLASSES[b] & classes) != 0;
    }

    static int lower(byte b) {
        return b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;
    }

    /** One byte a character, as the scanner wants it. */
    static byte[] of(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = text.charAt(i);
            bytes[i] = c < 128 ? (byte) c : -1;
        }
        return bytes;
    }
}
