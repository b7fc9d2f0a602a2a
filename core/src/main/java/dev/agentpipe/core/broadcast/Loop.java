package dev.agentpipe.core.broadcast;

/** The thread that owns a lane: an event loop that also serves other connections. Thread-safe. */
public interface Loop {

    /** Runs a task on the thread, before it looks at its connections again. */
    void execute(Runnable task);

    /** Runs a task on the thread after it has looked at its connections at least once. */
    void executeLater(Runnable task);
}
