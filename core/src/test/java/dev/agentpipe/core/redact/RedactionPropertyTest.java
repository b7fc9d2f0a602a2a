package dev.agentpipe.core.redact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Any text, any place, any escapes. Seeded; {@code -Dredact.rounds} and {@code -Dredact.seed} run more of it. */
final class RedactionPropertyTest {

    private static final int ROUNDS = Integer.getInteger("redact.rounds", 5_000);
    private static final long SEED = Long.getLong("redact.seed", 7);
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private static final String PEM = "-----BEGIN RSA PRIVATE KEY-----\n"
            + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMIIEvQIB\n-----END RSA PRIVATE KEY-----";

    /** What is secret, between its two bars. */
    private static final String[] SECRETS = {
        "|sk-ant-api03-Zk3_-q9XwW8eR7tY6uI5oP4a|",
        "|sk-proj-Zk3_-q9XwW8eR7tY6uI5oP4a|",
        "|AIzaSyZk3q9XwW8eR7tY6uI5oP4aS3dF2gH1jKl|",
        "|AKIAZK3Q9XWW8ER7TY6U|",
        "|ghp_Zk3q9XwW8eR7tY6uI5oP4aS3dF2gH1jKl0zX|",
        "|glpat-Zk3q9XwW8eR7tY6uI5|",
        "|xoxb-1234567890-Zk3q9XwW8eR7|",
        "|hf_Zk3q9XwW8eR7tY6uI5oP4aS3dF2gH1jKl|",
        "|ap_live_Zk3q9XwW8eR7tY6uI5oP4aS3dF2gH1jKl|",
        "|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.Zk3q9XwW8eR7tY|",
        "|" + PEM + "|",
        "Bearer |Zk3q9XwW8eR7tY6uI5oP4a|",
        "postgres://me:|Zk3q9XwW8|@db/x",
        "aws_secret_access_key = |Zk3q9XwW8eR7tY6uI5oP4aS3dF2gH1jKl0zXcV/+|",
        "--api-key |Zk3q9XwW8eR7tY|",
        "\"password\": \"|Zk3q9XwW8eR7tY|\"",
    };

    private static final String[] WORDS = {
        "job",
        "queue",
        "sk-",
        "token",
        "é",
        "日本語",
        "🚀",
        "\ud800",
        "=",
        ":",
        "--",
        "a1",
        "\\",
        "\"",
        "\n",
        "\u0000",
        "//",
        "eyJ",
        "@",
        "key",
        "password",
        "bearer",
        "-----",
        "<b>",
        "{",
        "[x]",
        "0",
        "Authorization",
        "$X",
        "'",
        "BEGIN"
    };

    /** Beside a secret stands what cannot belong to it. */
    private static final String[] EDGES = {" ", "\n", "(", "。", "🚀", "\t", "\u0001", "é"};

    private final Random random = new Random(SEED);

    @Test
    void json_withASecretAnywhere_hasItsMarkThere() {
        Redactor redactor = Redactor.on();
        for (int round = 0; round < ROUNDS; round++) {
            String[] parts = SECRETS[random.nextInt(SECRETS.length)].split("\\|");
            String before = quiet() + EDGES[random.nextInt(EDGES.length)] + parts[0];
            String after = (parts.length > 2 ? parts[2] : "") + EDGES[random.nextInt(EDGES.length)] + quiet();
            String json = "{\"type\":\"x\",\"a\":[1,{\"b\" :" + quoted(before + parts[1] + after) + "}],\"c\":"
                    + quoted(quiet()) + "}";

            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            byte[] redacted = redactor.json(bytes, 0, bytes.length);

            assertNotNull(redacted, json);
            String text = MAPPER.readTree(redacted).at("/a/1/b").asString();
            assertEquals(before, text.substring(0, before.length()), json);
            assertEquals(after, text.substring(text.length() - after.length()), json);
            String mark = text.substring(before.length(), text.length() - after.length());
            assertEquals(true, mark.matches("\\[redacted: [a-z ]+]"), () -> mark + " in " + json);
            assertNull(redactor.json(redacted, 0, redacted.length), "redacted twice: " + json);
        }
    }

    @Test
    void json_ofAnyKind_keepsItsStructure() {
        Redactor redactor = Redactor.on();
        for (int round = 0; round < ROUNDS; round++) {
            String json = "{\"type\":\"x\",\"token\":" + quoted(noise()) + ",\"command\":{\"args\":[" + quoted(noise())
                    + ", " + quoted(noise()) + "]} , \"message_id\":" + quoted(noise()) + ",\"n\":[1.50,null]}";
            byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
            JsonNode sent = MAPPER.readTree(bytes);

            byte[] redacted = redactor.json(bytes, 0, bytes.length);

            JsonNode left = MAPPER.readTree(redacted == null ? bytes : redacted);
            assertEquals(sent.propertyNames(), left.propertyNames());
            assertEquals(sent.get("message_id"), left.get("message_id"));
            assertEquals(sent.get("n"), left.get("n"));
            assertEquals(2, left.at("/command/args").size());
        }
    }

    /** Words that announce nothing where they stand. */
    private String quiet() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(6); i > 0; i--) {
            String word = WORDS[random.nextInt(WORDS.length)];
            text.append(word.matches("[=:@\"'\\\\/-]+|\\$X") ? "." : word).append(random.nextBoolean() ? " " : "。");
        }
        return text.toString();
    }

    private String noise() {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(12); i > 0; i--) {
            boolean secret = random.nextInt(4) == 0;
            text.append(
                    secret
                            ? SECRETS[random.nextInt(SECRETS.length)].replace("|", "")
                            : WORDS[random.nextInt(WORDS.length)]);
        }
        return text.toString();
    }

    private String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            boolean must = c < ' ' || c == '"' || c == '\\' || Character.isSurrogate(c);
            if (c == '\n' && random.nextBoolean()) {
                out.append("\\n");
            } else if (must || random.nextInt(8) == 0) {
                out.append(String.format(Locale.ROOT, random.nextBoolean() ? "\\u%04x" : "\\u%04X", (int) c));
            } else {
                out.append(c == '/' && random.nextBoolean() ? "\\/" : String.valueOf(c));
            }
        }
        return out.append('"').toString();
    }
}
