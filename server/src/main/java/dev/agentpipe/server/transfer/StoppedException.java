package dev.agentpipe.server.transfer;

/** The person ended it. */
public final class StoppedException extends Exception {

    private static final long serialVersionUID = 1L;
}
