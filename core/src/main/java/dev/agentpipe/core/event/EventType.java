package dev.agentpipe.core.event;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The types of events, by their names on the wire (contract, section 2). */
public enum EventType {
    CONVERSATION_STARTED("conversation.started"),
    MESSAGE_CREATED("message.created"),
    CONVERSATION_COMPLETED("conversation.completed"),
    CONVERSATION_INTERRUPTED("conversation.interrupted"),
    CONVERSATION_ERROR("conversation.error", "error.occurred"),
    LOG_ENTRY("log.entry"),
    BRIDGE_CONNECTED("bridge.connected"),
    BRIDGE_TEST("bridge.test"),

    /** The server's own: a whole session came at once, without an event for each of its messages. */
    SESSION_UPLOADED("session.uploaded"),
    /** The server's own: a conversation is gone, with all that was said in it. */
    CONVERSATION_DELETED("conversation.deleted");

    private static final Map<String, EventType> BY_NAME = Arrays.stream(values())
            .flatMap(type -> Stream.concat(Stream.of(type.wireName), type.aliases.stream())
                    .map(name -> Map.entry(name, type)))
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

    private final String wireName;
    private final List<String> aliases;

    EventType(String wireName, String... aliases) {
        this.wireName = wireName;
        this.aliases = List.of(aliases);
    }

    /** The name that the log, the filters of a stream and its {@code event:} field use. */
    public String wireName() {
        return wireName;
    }

    /** The type of this name or older name; null if there is none. */
    public static EventType of(String name) {
        return BY_NAME.get(name);
    }

    /** Whether only the server makes events of this type; from a client they are refused. */
    public boolean isServersOwn() {
        return this == SESSION_UPLOADED || this == CONVERSATION_DELETED;
    }

    /** All names of events in the log, for an error's text. */
    public static List<String> names() {
        return BY_NAME.keySet().stream().sorted().toList();
    }

    /** The names that are accepted from clients. */
    static List<String> acceptedNames() {
        return names().stream().filter(name -> !of(name).isServersOwn()).toList();
    }
}
