package dev.agentpipe.db.backup;

/** A backup cannot be made, read or restored, and why: a sentence for the operator, without password or contents. */
public final class BackupException extends RuntimeException {

    public BackupException(String message) {
        super(message);
    }

    public BackupException(String message, Throwable cause) {
        super(message, cause);
    }
}
