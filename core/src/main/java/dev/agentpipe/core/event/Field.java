package dev.agentpipe.core.event;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The names that mean something inside {@code data}, a participant, a summary, or the parts of an uploaded session; all
 * others are only passed on.
 */
enum Field {
    CONVERSATION_ID,
    MESSAGE_ID,
    AGENT_ID,
    AGENT_TYPE,
    AGENT_NAME,
    NAME,
    ROLE,
    CONTENT,
    MODEL,
    PROMPT,
    CLI_VERSION,
    SEQUENCE_NUMBER,
    TURN_NUMBER,
    TOKENS_USED,
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    COST,
    DURATION_MS,
    MODE,
    INITIAL_PROMPT,
    MAX_TURNS,
    PARTICIPANTS,
    AGENTS,
    SYSTEM_INFO,
    COMMAND,
    STATUS,
    TOTAL_MESSAGES,
    TOTAL_TURNS,
    TOTAL_TOKENS,
    TOTAL_COST,
    DURATION_SECONDS,
    SUMMARY,
    SHORT_TEXT,
    SHORT_SUMMARY,
    TEXT,
    ERROR_MESSAGE,
    ERROR,
    ERROR_TYPE,
    LEVEL,
    // Of sessions alone.
    ID,
    SOURCE,
    METADATA,
    TIMESTAMP,
    CREATED_AT,
    STARTED_AT,
    COMPLETED_AT,
    TOTAL_DURATION,
    TOTAL_DURATION_MS;

    static final int COUNT = values().length;

    private static final Map<String, Field> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Field::wireName, Function.identity()));

    private final String wireName = name().toLowerCase(Locale.ROOT);

    String wireName() {
        return wireName;
    }

    /** Is never redacted: two things whose identifiers are redacted would become one. */
    boolean isIdentifier() {
        return switch (this) {
            case ID, CONVERSATION_ID, MESSAGE_ID, AGENT_ID, AGENT_TYPE -> true;
            default -> false;
        };
    }

    /** Null if the name is none of these. */
    static Field of(String name) {
        return BY_NAME.get(name);
    }
}
