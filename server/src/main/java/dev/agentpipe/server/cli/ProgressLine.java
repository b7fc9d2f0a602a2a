package dev.agentpipe.server.cli;

import dev.agentpipe.server.loadtest.Progress;
import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;

/**
 * On a terminal one line that is written anew; elsewhere a line now and then, so that nobody takes a long step for a hang.
 * Thread-safe.
 */
final class ProgressLine implements Progress {

    private static final String CLEAR_LINE = "\r\u001b[K";
    private static final long PLAIN_SECONDS = 15;

    private final PrintWriter lines;
    private final PrintWriter now;
    private final boolean isTerminal;
    private long lastSaid = System.nanoTime();
    private boolean isShown;

    /**
     * @param lines for what stays
     * @param now for what passes
     */
    ProgressLine(PrintWriter lines, PrintWriter now, boolean isTerminal) {
        this.lines = lines;
        this.now = now;
        this.isTerminal = isTerminal;
    }

    @Override
    public synchronized void say(String line) {
        end();
        lines.println(line);
        lines.flush();
        lastSaid = System.nanoTime();
    }

    @Override
    public synchronized void now(String line) {
        if (isTerminal) {
            now.print(CLEAR_LINE + line);
            isShown = true;
        } else if (System.nanoTime() - lastSaid >= TimeUnit.SECONDS.toNanos(PLAIN_SECONDS)) {
            now.println(line);
            lastSaid = System.nanoTime();
        }
        now.flush();
    }

    /** Takes the passing line away. */
    synchronized void end() {
        if (isShown) {
            now.print(CLEAR_LINE);
            now.flush();
            isShown = false;
        }
    }
}
