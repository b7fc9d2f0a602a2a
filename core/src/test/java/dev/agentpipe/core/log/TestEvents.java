package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import dev.agentpipe.core.event.Event.CompletionStatus;
import dev.agentpipe.core.event.Event.ConversationCompleted;
import dev.agentpipe.core.event.Event.ConversationFailed;
import dev.agentpipe.core.event.Event.ConversationStarted;
import dev.agentpipe.core.event.Event.Envelope;
import dev.agentpipe.core.event.Event.MessageCreated;
import dev.agentpipe.core.event.Event.Notice;
import dev.agentpipe.core.event.Event.Participant;
import dev.agentpipe.core.event.Event.Summary;
import dev.agentpipe.core.event.EventType;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.List;

/** Events made by hand, without the reader: each is what its arguments say, and the same arguments give the same event. */
public final class TestEvents {

    /** 2026-11-22T14:34:21Z; the times of the events here are microseconds after it. */
    public static final long BASE_MICROS = 1_795_358_061_000_000L;

    private TestEvents() {}

    public static ConversationStarted started(String conversation, long atMicros) {
        return new ConversationStarted(
                envelope(EventType.CONVERSATION_STARTED, conversation, atMicros, "started " + conversation),
                "round-robin",
                "Design a small job queue.",
                4L,
                List.of(
                        new Participant("claude-0", "claude", "Alice", "claude", null, "1.2.3"),
                        new Participant("gemini-1", "gemini", "Bob", null, "Be \"brief\".\n", null)),
                "{\"os\": \"linux\",  \"cores\": 2}",
                "{\"full_command\":\"agentpipe run\"}");
    }

    public static MessageCreated message(String conversation, String id, long atMicros) {
        return message(conversation, id, atMicros, "content of " + id, 155L, null, null, "0.0005225", 58L);
    }

    public static MessageCreated message(String conversation, String id, String content) {
        return message(conversation, id, 0, content, 155L, null, null, "0.0005225", 58L);
    }

    public static MessageCreated message(
            String conversation,
            String id,
            long atMicros,
            String content,
            Long tokensUsed,
            Long inputTokens,
            Long outputTokens,
            String cost,
            Long durationMs) {
        return new MessageCreated(
                envelope(EventType.MESSAGE_CREATED, conversation, atMicros, "message " + id),
                id,
                "claude-0",
                "claude",
                "Alice",
                "agent",
                content,
                "claude",
                2L,
                1L,
                tokensUsed,
                inputTokens,
                outputTokens,
                cost == null ? null : new BigDecimal(cost),
                durationMs);
    }

    /** A completion that reports totals made from {@code total}, and a summary. */
    public static ConversationCompleted completed(
            String conversation, CompletionStatus status, long atMicros, long total) {
        return new ConversationCompleted(
                completion(conversation, status, atMicros, "total " + total),
                status,
                total,
                total / 2,
                total * 100,
                new BigDecimal("0.00354475").multiply(BigDecimal.valueOf(total)),
                new BigDecimal("4.344039984"),
                new Summary("short " + total, "long\n" + total, "gemini", "gemini", 185L, 44L, 229L, null, 57L));
    }

    /** A completion that reports nothing. */
    public static ConversationCompleted closed(String conversation, CompletionStatus status, long atMicros) {
        return new ConversationCompleted(
                completion(conversation, status, atMicros, ""), status, null, null, null, null, null, null);
    }

    private static Envelope completion(String conversation, CompletionStatus status, long atMicros, String what) {
        EventType type = status == CompletionStatus.INTERRUPTED
                ? EventType.CONVERSATION_INTERRUPTED
                : EventType.CONVERSATION_COMPLETED;
        return envelope(
                type, conversation, atMicros, "completed " + conversation + " " + status + " " + atMicros + what);
    }

    public static ConversationFailed failed(String conversation, String errorMessage, long atMicros) {
        return new ConversationFailed(
                envelope(
                        EventType.CONVERSATION_ERROR,
                        conversation,
                        atMicros,
                        "failed " + conversation + " " + errorMessage + " " + atMicros),
                errorMessage,
                "rate_limit",
                "claude");
    }

    public static Notice logEntry(String conversation, String text, long atMicros) {
        return new Notice(
                envelope(EventType.LOG_ENTRY, conversation, atMicros, "log " + conversation + text + atMicros));
    }

    public static Notice bridgeTest(String text) {
        return new Notice(envelope(EventType.BRIDGE_TEST, null, 0, "bridge " + text));
    }

    public static Envelope envelope(EventType type, String conversation, long atMicros, String identity) {
        String payload = "{\"type\":\"" + type.wireName() + "\",\"data\":{\"about\":\"" + identity.replace("\"", "\\\"")
                + " – 日本語 🚀\"}}";
        return new Envelope(
                type, conversation, BASE_MICROS + atMicros, digest(identity), payload.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] digest(String identity) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
            return Arrays.copyOf(digest, 16);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The messages {@code <prefix>0} to {@code <prefix>n-1} of a conversation. */
    public static List<Event> messages(String conversation, String prefix, int count) {
        return java.util.stream.IntStream.range(0, count)
                .<Event>mapToObj(i -> message(conversation, prefix + i, i))
                .toList();
    }
}
