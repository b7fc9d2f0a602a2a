package dev.agentpipe.server.bench.load;

/** Looks into the bytes of an answer's head. */
final class HttpHead {

    private HttpHead() {}

    /** The index after the empty line; -1 if it has not come yet. */
    static int end(byte[] bytes, int from, int to) {
        for (int i = from; i + 3 < to; i++) {
            if (bytes[i] == '\r' && bytes[i + 1] == '\n' && bytes[i + 2] == '\r' && bytes[i + 3] == '\n') {
                return i + 4;
            }
        }
        return -1;
    }

    static int status(byte[] bytes, int from) {
        return (int) number(bytes, from + "HTTP/1.1 ".length());
    }

    /** Where a text in lower case stands, whatever its case there; -1 if nowhere. */
    static int find(byte[] bytes, int from, int to, byte[] lower) {
        for (int i = from; i + lower.length <= to; i++) {
            int same = 0;
            while (same < lower.length && lower(bytes[i + same]) == lower[same]) {
                same++;
            }
            if (same == lower.length) {
                return i;
            }
        }
        return -1;
    }

    private static int lower(byte one) {
        return one >= 'A' && one <= 'Z' ? one + 32 : one;
    }

    /** The decimal number at an index, after spaces. */
    static long number(byte[] bytes, int from) {
        int i = from;
        while (bytes[i] == ' ') {
            i++;
        }
        long value = 0;
        while (i < bytes.length && bytes[i] >= '0' && bytes[i] <= '9') {
            value = value * 10 + bytes[i++] - '0';
        }
        return value;
    }
}
