package dev.agentpipe.server.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Breaks bytes and texts, the same ones in each run of a seed. Not thread-safe. */
public final class Damage {

    /** Put where they hurt: what JSON, UTF-8, HTTP, SQL and PostgreSQL each have their own mind about. */
    private static final List<String> SPLICES = List.of(
            "\\u0000",
            "\\ud800",
            "\\udc00\\ud83d",
            "\u0000",
            "\uFEFF",
            "é",
            "\\",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            "null",
            "-",
            "-1",
            "0.1",
            "1e308",
            "1e-400",
            "1e999999999",
            "9223372036854775807",
            "99999999999999999999",
            "\n",
            "\r\n",
            "\u001b[31m",
            "\u2028",
            "\u202e",
            "\"status\":\"error\",",
            "\"data\":{",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:60+23:59",
            "+1000000000-12-31",
            "'",
            "';--",
            "' or '1'='1",
            "%",
            "_",
            "$1",
            "?",
            ":x",
            "*",
            "(",
            ")",
            "|&!",
            "<script>",
            "${jndi:ldap://x}",
            "{}",
            "../",
            "ap_live_",
            "[[[[[[[[",
            "x".repeat(300));

    private final Random random;

    public Damage(Random random) {
        this.random = random;
    }

    public String text(String text) {
        return new String(bytes(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
    }

    /** With one to three places broken. */
    public byte[] bytes(byte[] whole) {
        byte[] bytes = whole;
        for (int n = random.nextInt(3); n >= 0; n--) {
            int at = random.nextInt(bytes.length + 1);
            int to = Math.min(bytes.length, at + random.nextInt(8));
            byte[] by = random.nextInt(4) == 0
                    ? new byte[] {(byte) random.nextInt(256)}
                    : SPLICES.get(random.nextInt(SPLICES.size())).getBytes(StandardCharsets.UTF_8);
            bytes = replaced(bytes, at, random.nextBoolean() ? at : to, by);
        }
        return bytes;
    }

    private static byte[] replaced(byte[] bytes, int from, int to, byte[] by) {
        byte[] result = Arrays.copyOf(bytes, bytes.length - (to - from) + by.length);
        System.arraycopy(by, 0, result, from, by.length);
        System.arraycopy(bytes, to, result, from + by.length, bytes.length - to);
        return result;
    }
}
