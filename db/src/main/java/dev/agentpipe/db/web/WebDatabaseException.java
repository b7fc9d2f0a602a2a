package dev.agentpipe.db.web;

/** An agentpipe-web database cannot be read; the message says why, for people. */
public final class WebDatabaseException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    WebDatabaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
