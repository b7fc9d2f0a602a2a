package dev.agentpipe.server.transfer;

/** The server cannot be used, now and for what would follow; its message says why, for people. */
public final class GaveUpException extends Exception {

    private static final long serialVersionUID = 1L;

    GaveUpException(String message) {
        super(message);
    }
}
