package dev.agentpipe.db.conversations;

import java.math.BigDecimal;

/**
 * Where a conversation stands in a list.
 *
 * @param value what the list is ordered by; a time in microseconds since 1970
 */
public record ConversationPlace(BigDecimal value, String id) {}
