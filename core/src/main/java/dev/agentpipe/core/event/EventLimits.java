package dev.agentpipe.core.event;

/**
 * How large an event may be.
 *
 * @param eventBytesMax bytes of one event; bounds its content
 * @param batchEventsMax events in one array or NDJSON body
 * @param depthMax levels of nested objects and arrays in a body
 * @param idCharsMax characters of an identifier (conversation, message, agent): they are index keys, and a PostgreSQL
 *     index row holds 2.7 kB
 */
public record EventLimits(int eventBytesMax, int batchEventsMax, int depthMax, int idCharsMax) {

    /** 1 MiB an event, 1,000 events a body, 64 levels, identifiers of 255 characters (the contract's figures). */
    public static final EventLimits DEFAULT = new EventLimits(1 << 20, 1_000, 64, 255);
}
