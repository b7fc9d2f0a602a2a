package dev.agentpipe.server.loadtest;

/** The server cannot be measured: it is not there, or does not let us in. */
public final class LoadTestException extends Exception {

    LoadTestException(String message) {
        super(message);
    }
}
