package dev.agentpipe.db.postgres;

/** The database cannot be used, and why: a sentence for the person who starts the server, without any password. */
public final class DatabaseStartException extends RuntimeException {

    public DatabaseStartException(String message) {
        super(message);
    }

    public DatabaseStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
