package dev.agentpipe.server.loadtest;

/** Whom a run tells what it does; called by one thread at a time. */
public interface Progress {

    /** What has come to pass, a line. */
    void say(String line);

    /** What goes on at the moment; a later one replaces it. */
    void now(String line);
}
