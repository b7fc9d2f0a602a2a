package dev.agentpipe.core.event;

/**
 * How large an event may be.
 *
 * @param eventBytesMax bytes of one event; bounds its content
 * @param batchEventsMax events in one array or NDJSON body
 * @param depthMax levels of nested objects and arrays in a body
 * @param idCharsMax characters of an identifier (conversation, message, agent): they are index keys, and a PostgreSQL
 *     index row holds 2.7 kB
 * @param participantsMax agents of one conversation; each becomes a row in the transaction of its event
 * @param nameBytesMax bytes of a member's name (rounded up by the parser to its buffer's next size). The parser keeps
 *     names for all later bodies, thousands of them, so they must not be large
 * @param violationsMax violations listed for one event; those after it are left out, so that a small hostile body does
 *     not get a large answer
 */
public record EventLimits(
        int eventBytesMax,
        int batchEventsMax,
        int depthMax,
        int idCharsMax,
        int participantsMax,
        int nameBytesMax,
        int violationsMax) {

    /** 1 MiB an event, 1,000 events a body, 64 levels, identifiers of 255 characters (the contract's figures). */
    public static final EventLimits DEFAULT = new EventLimits(1 << 20, 1_000, 64, 255, 1_000, 1_024, 100);

    public EventLimits {
        int smallest = Math.min(Math.min(eventBytesMax, batchEventsMax), Math.min(depthMax, idCharsMax));
        if (Math.min(smallest, Math.min(Math.min(participantsMax, nameBytesMax), violationsMax)) < 1) {
            throw new IllegalArgumentException("every limit must be at least 1");
        }
    }
}
