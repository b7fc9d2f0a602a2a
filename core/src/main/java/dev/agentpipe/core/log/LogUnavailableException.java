package dev.agentpipe.core.log;

/** The log's storage cannot be reached, or not in time. What was asked may have happened; it is safe to ask again. */
public final class LogUnavailableException extends RuntimeException {

    public LogUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
