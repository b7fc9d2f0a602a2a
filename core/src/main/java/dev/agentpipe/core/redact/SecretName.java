package dev.agentpipe.core.redact;

import java.nio.charset.StandardCharsets;

/** Names whose value is a secret, by how they end: {@code password}, {@code OPENAI_API_KEY}, {@code aws secret access key}. */
enum SecretName {
    NONE,
    /** Of a password, or of a key: its value is hardly ever anything else. */
    STRICT,
    /** {@code token} and the like, which name other things, too. */
    LOOSE,
    /** The header: a scheme may stand before its value. */
    AUTHORIZATION;

    private static final byte[][] STRICT_NAMES = ascii(
            "password",
            "passwd",
            "passphrase",
            "apikey",
            "accesskey",
            "secretkey",
            "privatekey",
            "accountkey",
            "signingkey",
            "encryptionkey",
            "masterkey",
            "clientsecret",
            "pgpassword",
            "pwd");
    private static final byte[][] LOOSE_NAMES = ascii("token", "secret", "credential", "credentials");
    private static final byte[][] HARMLESS_NAMES = ascii("pagetoken", "nexttoken", "continuationtoken");
    private static final byte[] AUTHORIZATION_NAME = "authorization".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PASS = {'p', 'a', 's', 's'};

    private static byte[][] ascii(String... names) {
        byte[][] bytes = new byte[names.length][];
        for (int i = 0; i < names.length; i++) {
            bytes[i] = names[i].getBytes(StandardCharsets.US_ASCII);
        }
        return bytes;
    }

    /** Of the name that ends here and begins nowhere before {@code from}. */
    static SecretName endingAt(byte[] text, int from, int end) {
        if (end - from < 3) {
            return NONE;
        }
        switch (Chars.lower(text[end - 1])) {
            case 'd', 'e', 'y', 't', 'n', 'l', 's' -> {}
            default -> {
                return NONE;
            }
        }
        for (byte[] name : STRICT_NAMES) {
            if (begin(text, from, end, name) >= 0) {
                return STRICT;
            }
        }
        int pass = begin(text, from, end, PASS);
        if (pass == from || pass > from && !Chars.is(Chars.ALNUM, text[pass - 1])) {
            return STRICT;
        }
        for (byte[] name : LOOSE_NAMES) {
            if (begin(text, from, end, name) >= 0) {
                return isHarmless(text, from, end) ? NONE : LOOSE;
            }
        }
        return begin(text, from, end, AUTHORIZATION_NAME) >= 0 ? AUTHORIZATION : NONE;
    }

    private static boolean isHarmless(byte[] text, int from, int end) {
        for (byte[] name : HARMLESS_NAMES) {
            if (begin(text, from, end, name) >= 0) {
                return true;
            }
        }
        return false;
    }

    /** Where the name begins that ends here, whatever stands between its words; -1 if another one does. */
    private static int begin(byte[] text, int from, int end, byte[] name) {
        int at = end;
        for (int i = name.length - 1; i >= 0; i--) {
            at--;
            if (at > from && i < name.length - 1 && isSeparator(text[at])) {
                at--;
            }
            if (at < from || Chars.lower(text[at]) != name[i]) {
                return -1;
            }
        }
        return at;
    }

    private static boolean isSeparator(byte b) {
        return b == '_' || b == '-' || b == '.' || b == ' ';
    }
}
