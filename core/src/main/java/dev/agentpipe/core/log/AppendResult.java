package dev.agentpipe.core.log;

/** What became of one event of an append that was committed. */
public sealed interface AppendResult {

    /** It is new and durable at this position. */
    record Stored(long position) implements AppendResult {}

    /** The same event was stored before, at this position; nothing was changed. */
    record Duplicate(long position) implements AppendResult {}

    /** A message with its id, but another content or conversation, was stored before; nothing was changed. */
    record Conflict() implements AppendResult {}
}
