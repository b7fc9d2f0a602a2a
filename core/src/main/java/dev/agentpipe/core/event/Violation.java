package dev.agentpipe.core.event;

/**
 * One thing that is wrong with an event, and where.
 *
 * @param pointer JSON Pointer (RFC 6901) into the event, such as {@code /data/participants/0/agent_type}
 * @param detail a sentence for the person who wrote the client; never the offending value
 */
public record Violation(String pointer, String detail) {}
