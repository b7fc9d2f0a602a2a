package dev.agentpipe.server;

/** The server cannot start, for a reason its operator can mend; the message is one line that says what and how. */
public final class StartException extends RuntimeException {

    public StartException(String message) {
        super(message);
    }

    public StartException(String message, Throwable cause) {
        super(message, cause);
    }
}
