package dev.agentpipe.server.logs;

import java.util.concurrent.atomic.LongAdder;

/** What the logs of this process tell of themselves. Thread-safe. */
public final class Logs {

    static final LongAdder DROPPED = new LongAdder();

    private Logs() {}

    /** How many lines were dropped since the start, because more came than could be written. */
    public static long dropped() {
        return DROPPED.sum();
    }
}
