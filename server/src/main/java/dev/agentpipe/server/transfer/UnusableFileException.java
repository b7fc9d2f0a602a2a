package dev.agentpipe.server.transfer;

/** A file that cannot be uploaded as it is; its message says why. */
final class UnusableFileException extends Exception {

    private static final long serialVersionUID = 1L;

    UnusableFileException(String message) {
        super(message);
    }
}
