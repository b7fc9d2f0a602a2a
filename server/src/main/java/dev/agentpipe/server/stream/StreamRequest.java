package dev.agentpipe.server.stream;

import dev.agentpipe.core.event.EventFilter;
import dev.agentpipe.core.event.EventLimits;
import dev.agentpipe.core.event.EventType;
import dev.agentpipe.core.event.Violation;
import io.undertow.server.HttpServerExchange;
import io.undertow.util.HeaderMap;
import io.undertow.util.HttpString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a reader asks for.
 *
 * @param lastEventId as sent; null if it does not resume
 * @param replay how many of the last matching events it wants first; 0 if it resumes
 * @param named whether the {@code event:} field is to be set
 */
record StreamRequest(EventFilter filter, String lastEventId, int replay, boolean named) {

    private static final HttpString LAST_EVENT_ID = HttpString.tryFromString("Last-Event-ID");
    private static final int CONVERSATIONS_MAX = 100;
    private static final int REPLAY_MAX = 1_000;

    /** @param violations what is wrong with the parameters is added to it, with the parameter's name as pointer */
    static StreamRequest of(HttpServerExchange exchange, List<Violation> violations) {
        Map<String, Deque<String>> query = exchange.getQueryParameters();
        HeaderMap headers = exchange.getRequestHeaders();
        EventFilter filter = new EventFilter(conversations(query, violations), types(query, violations));
        String lastEventId = headers.getFirst(LAST_EVENT_ID);
        if (lastEventId == null && query.containsKey("lastEventId")) {
            lastEventId = query.get("lastEventId").getFirst();
        }
        if (lastEventId != null && lastEventId.isEmpty()) {
            lastEventId = null; // an EventSource that has seen no id yet
        }
        int replay = replay(query, violations);
        boolean named = flag(query, "named", violations);
        return new StreamRequest(filter, lastEventId, lastEventId == null ? replay : 0, named);
    }

    private static Set<String> conversations(Map<String, Deque<String>> query, List<Violation> violations) {
        Set<String> ids = new LinkedHashSet<>(values(query, "conversationId"));
        if (ids.size() > CONVERSATIONS_MAX) {
            violations.add(new Violation("conversationId", "at most " + CONVERSATIONS_MAX + " conversations"));
        }
        int charsMax = EventLimits.DEFAULT.idCharsMax();
        if (ids.stream().anyMatch(id -> id.length() > charsMax)) {
            violations.add(new Violation("conversationId", "an id has at most " + charsMax + " characters"));
        }
        return ids;
    }

    private static Set<EventType> types(Map<String, Deque<String>> query, List<Violation> violations) {
        Set<EventType> types = EnumSet.noneOf(EventType.class);
        for (String name : values(query, "types")) {
            EventType type = EventType.of(name);
            if (type == null) {
                violations.add(new Violation("types", "known types are " + String.join(", ", EventType.names())));
                break;
            }
            types.add(type);
        }
        return types;
    }

    private static int replay(Map<String, Deque<String>> query, List<Violation> violations) {
        if (!query.containsKey("replay")) {
            return 0;
        }
        try {
            int count = Integer.parseInt(query.get("replay").getFirst());
            if (count >= 0 && count <= REPLAY_MAX) {
                return count;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        violations.add(new Violation("replay", "a whole number from 0 to " + REPLAY_MAX));
        return 0;
    }

    private static boolean flag(Map<String, Deque<String>> query, String name, List<Violation> violations) {
        String value = query.containsKey(name) ? query.get(name).getFirst() : "false";
        if (!value.equals("true") && !value.equals("false")) {
            violations.add(new Violation(name, "true or false"));
        }
        return value.equals("true");
    }

    /** Repeated parameters and comma separated values alike; empty ones say nothing. */
    private static List<String> values(Map<String, Deque<String>> query, String name) {
        List<String> values = new ArrayList<>();
        for (String parameter : query.getOrDefault(name, new ArrayDeque<>())) {
            for (String value : parameter.split(",")) {
                if (!value.isBlank()) {
                    values.add(value.strip());
                }
            }
        }
        return values;
    }
}
