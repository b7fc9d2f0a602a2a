package dev.agentpipe.core.redact;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

final class RedactorTest {

    private final Redactor redactor = Redactor.on();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sk-ant-api03-abcDEF123456_-abcDEF123456 | [redacted: anthropic key]",
                "sk-proj-abcDEF123456_-abcDEF123456 | [redacted: openai key]",
                "sk-abcdefghij0123456789abcdefghij0123456789abcdefgh | [redacted: openai key]",
                "AIzaSyA1234567890abcdefghijklmnopqrstuv | [redacted: google key]",
                "AKIAIOSFODNN7EXAMPLE | [redacted: aws key]",
                "ghp_0123456789abcdefghijABCDEFGHIJ012345 | [redacted: github token]",
                "github_pat_11ABCDEFG0abcdefghijkl_0123456789abcdef | [redacted: github token]",
                "glpat-abcdefghij0123456789 | [redacted: gitlab token]",
                "xoxb-123456789012-abcdefghijkl | [redacted: slack token]",
                "xapp-1-A0123456789-1234567890123-abcdef | [redacted: slack token]",
                "sk_live_0123456789abcdefghijklmn | [redacted: stripe key]",
                "hf_abcdefghijklmnopqrstuvwxyzABCDEF12 | [redacted: hugging face token]",
                "npm_abcdefghijklmnopqrstuvwxyzABCDEF1234 | [redacted: npm token]",
                "ap_live_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG | [redacted: agentpipe key]",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N | [redacted: jwt]",
                "Authorization: Bearer abcdef.0123456789 | Authorization: [redacted: bearer token]",
                "curl -H 'Authorization: Basic dXNlcjpwYXNz' x | curl -H 'Authorization: Basic [redacted: bearer token]' x",
                "bearer abcdefghijklmnop0123 and on | bearer [redacted: bearer token] and on",
                "postgres://app:hunter2@db:5432/x | postgres://app:[redacted: password]@db:5432/x",
                "redis://:s3cr3t@cache | redis://:[redacted: password]@cache",
                "https://ghp_0123456789abcdefghijABCDEFGHIJ012345:x-oauth@github.com | https://[redacted: github token]:[redacted: password]@github.com",
                "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY | aws_secret_access_key = [redacted: secret]",
                "Secret Access Key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY | Secret Access Key: [redacted: secret]",
                "DB_PASSWORD=\"tr0ub4dor&3\" | DB_PASSWORD=\"[redacted: secret]\"",
                "the key is --api-key abcd1234efgh, see | the key is --api-key [redacted: secret], see",
                "https://x/?api_key=abcd1234efgh&y=1 | https://x/?api_key=[redacted: secret]&y=1",
                "{\\\"client_secret\\\": \\\"abc123def\\\"} | {\\\"client_secret\\\": \\\"[redacted: secret]\\\"}",
            })
    void text_withSecret_hasTheMarkInItsPlace(String text, String expected) {
        String wanted = expected.replace("Authorization: [redacted", "Authorization: Bearer [redacted");
        assertEquals(wanted, redactor.text(null, text));
        assertEquals("(" + wanted + ")", redactor.text(null, "(" + text + ")"));
        assertEquals("密钥" + wanted + "。", redactor.text(null, "密钥" + text + "。"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "sk-...",
                "export OPENAI_API_KEY=sk-...",
                "sk-learn-tutorial-for-beginners-2023",
                "task-abcdefghij0123456789abcdefghij0123456789",
                "commit 3f786850e387550fdab836ed7e6dc881de23001b",
                "id 123e4567-e89b-12d3-a456-426614174000",
                "--api-key <key>, --token $TOKEN, --password ${PASSWORD}",
                "Use --token to pass the token2 you made",
                "token = getToken(request1)",
                "password: required",
                "if (password == other1password) return;",
                "\"max_tokens\": 1024, max_token: 8192, tokens: 12a45678",
                "postgres://user:${PASSWORD}@db/x and postgres://user:<password>@db/x",
                "https://example.com/a:b@c and mailto:me@example.com, https://host:8080/@me",
                "bearer of bad news, Bearer authentication-with-words, Bearer <token>",
                "-----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
                "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END CERTIFICATE-----",
                "OLDPWD=/home/me2/work and password_file=/run/secrets/a1",
                "next_page_token=abc123def456",
                "api_key = your-api-key-1, api_key=xxxxxxxxxxxx, api_key=abc1...",
                "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
                "eyJ is how each of them begins",
            })
    void text_withoutSecret_isTheSame(String text) {
        assertSame(text, redactor.text(null, text));
        assertEquals(Map.of(), redactor.counts());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,12\n\nKEY\nKEY\nabc=\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,12\n\nKEY\nKEY\nabc=",
                "-----BEGIN OPENSSH PRIVATE KEY-----\nKEY\nKEY\nabcdefghij",
                "-----BEGIN PRIVATE KEY-----\\nKEY\\nKEY\\nabcd",
                "-----BEGIN PRIVATE KEY-----\n\" + \"KEY\\n\" +\n \"KEY",
                "-----BEGIN EC PRIVATE KEY----- KEY KEY -----END EC PRIVATE KEY-----",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nKEY\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
            })
    void text_withPrivateKey_losesAllOfIt(String template) {
        String key = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        String text = template.replace("KEY\n", key + "\n")
                .replace("KEY\\n", key + "\\n")
                .replace(" KEY ", " " + key + " ");
        text = text.endsWith("KEY") ? text.replaceAll("KEY$", key) : text;
        assertEquals(
                "a [redacted: private key]",
                redactor.text(null, "a " + text.replace("PRIVATE " + key + " ", "PRIVATE KEY ")));
    }

    @Test
    void text_truncatedPrivateKey_leavesTheProseBehindIt() {
        String text =
                "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\nMIIEvQIBA\n\nwas in the file.";

        assertEquals("[redacted: private key]\n\nwas in the file.", redactor.text(null, text));
    }

    @Test
    void json_withSecrets_keepsAllElse() {
        String json = """
                {"a" : 1.50, "api_key":"hunter2!", "k\\u0065y":"\\u0073k-ant-api03-abcDEF123456\\u005f-abcDEF123456 \\ud83d\\ude00 \\/",
                 "message_id":"ghp_0123456789abcdefghijABCDEFGHIJ012345", "args":["--token","x y","-v"],"token":"Hello",
                 "ghp_0123456789abcdefghijABCDEFGHIJ012345":["--api-key", "abcd"], "token":["the"]}""";

        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        String redacted = new String(redactor.json(bytes, 0, bytes.length), StandardCharsets.UTF_8);

        assertEquals(
                json.replace("hunter2!", "[redacted: secret]")
                        .replace("\\u0073k-ant-api03-abcDEF123456\\u005f-abcDEF123456", "[redacted: anthropic key]")
                        .replace("\"abcd\"", "\"[redacted: secret]\""),
                redacted);
        assertEquals(Map.of(SecretKind.SECRET, 2L, SecretKind.ANTHROPIC_KEY, 1L), redactor.counts());
    }

    @Test
    void json_command_losesWhateverItsOptionsHave() {
        String json = """
                {"command":{"full_command":"X=1 TOKEN=abc agentpipe --api-key hunter --password=a -p hello","args":["--api-key","hunter","-p","hello"],
                "options":{"api-key":"hunter","prompt":"hello"}},"content":"--api-key hunter"}""";

        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        String redacted = new String(redactor.json(bytes, 0, bytes.length), StandardCharsets.UTF_8);

        assertEquals("""
                {"command":{"full_command":"X=1 TOKEN=[redacted: secret] agentpipe --api-key [redacted: secret] --password=[redacted: secret] -p hello","args":["--api-key","[redacted: secret]","-p","hello"],
                "options":{"api-key":"[redacted: secret]","prompt":"hello"}},"content":"--api-key hunter"}""", redacted);
    }

    @Test
    void member_ofSession_hasItsName() {
        assertEquals("\"[redacted: secret]\"", redactor.member("db_password", "\"swordfish\""));
        assertEquals("{\"a\":\"swordfish\"}", redactor.member("db_password", "{\"a\":\"swordfish\"}"));
        assertEquals("\"swordfish\"", redactor.member("name", "\"swordfish\""));
        assertEquals("[redacted: secret]", redactor.text("password", "swordfish"));
    }

    @Test
    void off_findsNothing() {
        byte[] json = "{\"password\":\"hunter22\"}".getBytes(StandardCharsets.UTF_8);

        assertNull(Redactor.OFF.json(json, 0, json.length));
        String text = "sk-ant-api03-abcDEF123456_-abcDEF123456";
        assertSame(text, Redactor.OFF.text(null, text));
        assertSame(text, Redactor.OFF.member("password", text));
    }

    @Test
    void everyMark_isJsonAndHasNothingToRedact() {
        for (SecretKind kind : SecretKind.values()) {
            String mark = new String(kind.mark(), StandardCharsets.US_ASCII);
            assertEquals('"' + mark + '"', JsonMapper.shared().writeValueAsString(mark));
            for (String before : new String[] {"", "password=", "Authorization: Bearer ", "--token ", "x://u:"}) {
                String text = before + mark + (before.equals("x://u:") ? "@h" : "");
                assertSame(text, redactor.text("password", text));
            }
        }
    }
}
