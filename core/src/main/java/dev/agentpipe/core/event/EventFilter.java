package dev.agentpipe.core.event;

import java.util.Set;

/**
 * Which events a reader wants: those of one of these conversations (an empty set: of any, and those outside of
 * conversations) and of one of these types (an empty set: of any).
 */
public record EventFilter(Set<String> conversationIds, Set<EventType> types) {

    public static final EventFilter ALL = new EventFilter(Set.of(), Set.of());

    public EventFilter {
        conversationIds = Set.copyOf(conversationIds);
        types = Set.copyOf(types);
    }

    public boolean matches(EventType type, String conversationId) {
        return (types.isEmpty() || types.contains(type))
                && (conversationIds.isEmpty() || (conversationId != null && conversationIds.contains(conversationId)));
    }

    public boolean isAll() {
        return conversationIds.isEmpty() && types.isEmpty();
    }
}
