package dev.agentpipe.server.sse;

/**
 * An event of a stream.
 *
 * @param id the last id that the stream had given when the event ended, "" if none
 * @param type {@code message} unless the stream says otherwise
 */
public record SseEvent(String id, String type, String data) {}
