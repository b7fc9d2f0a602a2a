package dev.agentpipe.db;

import java.time.Instant;

/** A conversation that is ACTIVE although nothing was heard of it for long, and when its last event of any kind came. */
public record IdleConversation(String conversationId, Instant lastReceivedAt) {}
