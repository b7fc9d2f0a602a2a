package dev.agentpipe.core.redact;

import static dev.agentpipe.core.redact.Chars.ALNUM;
import static dev.agentpipe.core.redact.Chars.DIGIT;
import static dev.agentpipe.core.redact.Chars.DOT;
import static dev.agentpipe.core.redact.Chars.PERCENT;
import static dev.agentpipe.core.redact.Chars.PLUS_SLASH;
import static dev.agentpipe.core.redact.Chars.UNDERSCORE;
import static dev.agentpipe.core.redact.Chars.UPPER;
import static dev.agentpipe.core.redact.Chars.WORD;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A key that is known by how it begins.
 *
 * @param kept how much of the prefix is no secret
 * @param tail the characters that follow the prefix
 * @param lengthMin how many of them there must be
 * @param exactLength whether it is something else if more follow
 */
record KeyFormat(byte[] prefix, SecretKind kind, int kept, int tail, int lengthMin, boolean exactLength) {

    /** By the first character; more specific ones first. */
    private static final KeyFormat[][] BY_FIRST = new KeyFormat[128][];

    private static final KeyFormat[] NONE = {};

    /** By the first two characters. */
    private static final boolean[] BEGINNINGS = new boolean[128 * 128];

    static {
        List<KeyFormat> all = new ArrayList<>();
        add(all, SecretKind.AGENTPIPE_KEY, WORD, 16, "ap_live_", "ap_test_");
        add(all, SecretKind.ANTHROPIC_KEY, WORD, 16, "sk-ant-");
        add(all, SecretKind.OPENAI_KEY, WORD, 16, "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-");
        add(all, SecretKind.API_KEY, WORD, 16, "sk-or-", "sk-lf-", "pk-lf-");
        add(all, SecretKind.STRIPE_KEY, ALNUM | UNDERSCORE, 16, "sk_live_", "sk_test_", "rk_live_", "rk_test_");
        add(all, SecretKind.STRIPE_KEY, ALNUM | PLUS_SLASH, 24, "whsec_");
        add(all, SecretKind.OPENAI_KEY, ALNUM, 20, "sk-"); // and of many who copied them
        add(all, SecretKind.GOOGLE_KEY, WORD, 35, "AIza");
        add(all, SecretKind.GOOGLE_KEY, WORD, 30, "AQ.Ab");
        add(all, SecretKind.GOOGLE_KEY, WORD, 20, "ya29.", "GOCSPX-");
        add(
                all,
                SecretKind.GITHUB_TOKEN,
                ALNUM | UNDERSCORE,
                20,
                "ghp_",
                "gho_",
                "ghu_",
                "ghs_",
                "ghr_",
                "github_pat_");
        add(
                all,
                SecretKind.GITLAB_TOKEN,
                WORD | DOT,
                16,
                "glpat-",
                "gldt-",
                "glrt-",
                "glptt-",
                "glft-",
                "glcbt-",
                "gloas-");
        add(
                all,
                SecretKind.SLACK_TOKEN,
                WORD | PERCENT | DOT,
                16,
                "xoxa-",
                "xoxb-",
                "xoxc-",
                "xoxd-",
                "xoxe-",
                "xoxe.");
        add(all, SecretKind.SLACK_TOKEN, WORD | PERCENT | DOT, 16, "xoxo-", "xoxp-", "xoxr-", "xoxs-", "xapp-");
        add(all, SecretKind.HUGGING_FACE_TOKEN, ALNUM, 30, "hf_", "api_org_");
        add(all, SecretKind.NPM_TOKEN, ALNUM, 30, "npm_");
        add(all, SecretKind.API_KEY, WORD, 50, "pypi-", "ATATT3", "AGE-SECRET-KEY-1");
        add(all, SecretKind.API_KEY, WORD, 40, "nvapi-", "xai-", "gsk_", "sbp_", "ntn_", "dop_v1_");
        add(all, SecretKind.API_KEY, WORD, 30, "pplx-", "r8_", "tvly-", "lsv2_", "lin_api_", "shpat_");
        add(all, SecretKind.API_KEY, WORD | DOT, 20, "hvs.", "SG.");
        for (String prefix : List.of("AKIA", "ASIA", "ABIA", "ACCA")) {
            all.add(new KeyFormat(ascii(prefix), SecretKind.AWS_KEY, 0, UPPER | DIGIT, 16, true));
        }
        byte[] hook = ascii("hooks.slack.com/services/");
        all.add(new KeyFormat(hook, SecretKind.SLACK_TOKEN, hook.length, ALNUM | PLUS_SLASH, 20, false));
        for (KeyFormat format : all) {
            BEGINNINGS[format.prefix[0] << 7 | format.prefix[1]] = true;
        }
        for (char first = 0; first < BY_FIRST.length; first++) {
            char c = first;
            KeyFormat[] own =
                    all.stream().filter(format -> format.prefix[0] == c).toArray(KeyFormat[]::new);
            BY_FIRST[first] = own.length == 0 ? NONE : own;
        }
    }

    private static void add(List<KeyFormat> all, SecretKind kind, int tail, int lengthMin, String... prefixes) {
        for (String prefix : prefixes) {
            all.add(new KeyFormat(ascii(prefix), kind, 0, tail, lengthMin, false));
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static KeyFormat[] beginningWith(byte first) {
        return first < 0 ? NONE : BY_FIRST[first];
    }

    static boolean mayBeginWith(byte first, byte second) {
        return (first | second) >= 0 && BEGINNINGS[first << 7 | second];
    }

    /** Where the key ends that begins here; -1 if there is none. */
    int end(byte[] text, int start, int to) {
        int tailStart = start + prefix.length;
        if (tailStart + lengthMin > to) {
            return -1;
        }
        for (int i = 1; i < prefix.length; i++) {
            if (text[start + i] != prefix[i]) {
                return -1;
            }
        }
        for (int i = 0; i < lengthMin; i++) {
            if (!Chars.is(tail, text[tailStart + i])) {
                return -1;
            }
        }
        if (!hasDigit(text, tailStart, Math.min(to, tailStart + 64))) { // it is a name of words
            return -1;
        }
        int end = tailStart + lengthMin;
        if (exactLength) {
            return end < to && Chars.is(ALNUM, text[end]) ? -1 : end;
        }
        while (end < to && Chars.is(tail | WORD, text[end])) { // what hangs on it is no word of its own
            end++;
        }
        while (text[end - 1] == '.') { // of the sentence
            end--;
        }
        return end;
    }

    private boolean hasDigit(byte[] text, int from, int to) {
        for (int i = from; i < to && Chars.is(tail, text[i]); i++) {
            if (Chars.is(DIGIT, text[i])) {
                return true;
            }
        }
        return kind == SecretKind.AWS_KEY || kind == SecretKind.SLACK_TOKEN && kept > 0;
    }
}
