package dev.agentpipe.server.loadtest;

/** The server cannot be measured: it is not there, or does not let us in. */
public final class BenchException extends Exception {

    BenchException(String message) {
        super(message);
    }
}
