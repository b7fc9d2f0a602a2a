package dev.agentpipe.server.loadtest;

/** What each stream watches. */
public enum Follow {
    /** One conversation of the run, as somebody who watches a conversation does. */
    ONE,
    /** All conversations of the run: every event goes to every stream. */
    ALL
}
