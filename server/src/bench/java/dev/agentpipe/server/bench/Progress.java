package dev.agentpipe.server.bench;

import java.io.PrintWriter;

/** Tells what is going on, since a bench takes minutes: on a terminal in one line that is written anew. Thread-safe. */
final class Progress {

    private final PrintWriter err;
    private final boolean isTerminal;
    private final long startNanos = System.nanoTime();
    private String part = "";

    Progress(PrintWriter err, boolean isTerminal) {
        this.err = err;
        this.isTerminal = isTerminal;
    }

    /** @param text such as {@code 3 of 12} */
    synchronized void part(String text) {
        part = text + ": ";
    }

    synchronized void say(String text) {
        String line = "bench: " + part + text + " (" + (System.nanoTime() - startNanos) / 1_000_000_000 + " s)";
        if (isTerminal) {
            err.print("\r\033[K" + line);
        } else {
            err.println(line);
        }
        err.flush();
    }

    synchronized void warn(String text) {
        end();
        err.println("bench: " + text);
        err.flush();
    }

    /** Leaves the line to others. */
    synchronized void end() {
        if (isTerminal) {
            err.print("\r\033[K");
            err.flush();
        }
    }
}
