package dev.agentpipe.core.log;

import dev.agentpipe.core.event.EventType;

/**
 * An event in the log.
 *
 * @param position its place in the order of all events; grows, with holes
 * @param conversationId null for an event outside of any conversation
 * @param payload one line of JSON in UTF-8, see {@link dev.agentpipe.core.event.Event.Envelope}; not to be changed
 */
public record LogRecord(long position, EventType type, String conversationId, byte[] payload) {}
