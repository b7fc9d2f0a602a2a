package dev.agentpipe.core.redact;

import java.nio.charset.StandardCharsets;

/** What is looked for; its label stands in the place of what was found. */
public enum SecretKind {
    AGENTPIPE_KEY("agentpipe key"),
    ANTHROPIC_KEY("anthropic key"),
    OPENAI_KEY("openai key"),
    GOOGLE_KEY("google key"),
    AWS_KEY("aws key"),
    GITHUB_TOKEN("github token"),
    GITLAB_TOKEN("gitlab token"),
    SLACK_TOKEN("slack token"),
    STRIPE_KEY("stripe key"),
    HUGGING_FACE_TOKEN("hugging face token"),
    NPM_TOKEN("npm token"),
    /** Keys of services that have none of the kinds above. */
    API_KEY("api key"),
    JWT("jwt"),
    BEARER_TOKEN("bearer token"),
    PRIVATE_KEY("private key"),
    PASSWORD("password"),
    /** The value of something whose name says that it is one. */
    SECRET("secret");

    /** How every mark begins. The database knows it, too: see {@code same_content}. */
    static final String MARK_START = "[redacted: ";

    private final byte[] mark;

    SecretKind(String label) {
        mark = (MARK_START + label + "]").getBytes(StandardCharsets.US_ASCII);
    }

    byte[] mark() {
        return mark;
    }

    /** As it is shown: {@code anthropic key}. */
    public String label() {
        return new String(mark, MARK_START.length(), mark.length - MARK_START.length() - 1, StandardCharsets.US_ASCII);
    }
}
