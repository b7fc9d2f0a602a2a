package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

final class ProgressLineTest {

    private static final String END = System.lineSeparator();

    private final StringWriter lines = new StringWriter();
    private final StringWriter now = new StringWriter();

    @Test
    void onATerminal_oneLineIsWrittenAnewAndTakenAway() {
        ProgressLine progress = new ProgressLine(new PrintWriter(lines), new PrintWriter(now), true);
        progress.now("a");
        progress.now("b");
        progress.say("done");
        progress.end();

        assertEquals("\r\u001b[Ka\r\u001b[Kb\r\u001b[K", now.toString());
        assertEquals("done" + END, lines.toString());
    }

    @Test
    void elsewhere_whatPassesIsNotWrittenAtOnce() {
        ProgressLine progress = new ProgressLine(new PrintWriter(lines), new PrintWriter(now), false);
        progress.now("a");
        progress.say("done");
        progress.now("b");
        progress.end();

        assertEquals("", now.toString());
        assertEquals("done" + END, lines.toString());
    }
}
