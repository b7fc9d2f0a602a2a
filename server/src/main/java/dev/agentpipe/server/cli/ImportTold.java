package dev.agentpipe.server.cli;

import static dev.agentpipe.server.cli.UploadTold.count;

import dev.agentpipe.db.web.WebDatabase;
import dev.agentpipe.server.transfer.ImportListener;
import dev.agentpipe.server.transfer.ImportResult;
import dev.agentpipe.server.transfer.ImportResult.Counted;
import java.io.PrintWriter;
import java.net.URI;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;

/** What an import says, to people or, at its end, to programs. Used by the command's thread. */
final class ImportTold implements ImportListener {

    /** Of each kind; what follows is counted. A database with a million broken rows must not scroll the result away. */
    private static final int LINES_MAX = 200;

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean json;
    private final ProgressLine progress;
    private long refused;
    private long leftOut;
    private String at = "";

    ImportTold(PrintWriter out, PrintWriter err, boolean json, boolean isTerminal) {
        this.out = out;
        this.err = err;
        this.json = json;
        progress = new ProgressLine(json ? err : out, err, isTerminal);
    }

    void start(WebDatabase.Counts counts, URI base) {
        progress.say("Importing " + count(counts.conversations(), "conversation") + " with "
                + count(counts.messages(), "message") + " and " + count(counts.participants(), "participant") + " to "
                + base);
    }

    @Override
    public void begin(long number, long conversations, String conversationId) {
        at = "[" + number + "/" + conversations + "] " + conversationId;
        progress.now(at);
    }

    @Override
    public void sending(String conversationId, long messages, long of, int compressedBytes) {
        progress.now(String.format(
                Locale.ROOT, "%s: %,d of %,d messages, %,d KiB", at, messages, of, (compressedBytes + 1_023) / 1_024));
    }

    @Override
    public void refused(String what, String why) {
        if (++refused <= LINES_MAX) {
            line(what + ": " + why);
        }
    }

    @Override
    public void leftOut(String what) {
        if (++leftOut <= LINES_MAX) {
            line("left out: " + what);
        }
    }

    /** Something keeps it from going on at once. */
    void waits(String why) {
        line(why);
    }

    void gaveUp(String why) {
        line("agentpipe-server: " + why);
    }

    private void line(String text) {
        progress.end();
        err.println(text);
        err.flush();
    }

    /** @param isStopped whether a person ended it */
    void end(ImportResult result, boolean isStopped) {
        progress.end();
        if (json) {
            out.println(JsonMapper.shared().writeValueAsString(result));
        } else {
            tell(result, isStopped);
        }
        out.flush();
    }

    private void tell(ImportResult result, boolean isStopped) {
        out.println(count(result.conversations(), "conversation") + " looked at, "
                + String.format(Locale.ROOT, "%,d", result.unchanged()) + " of them sent before. "
                + count(result.messagesAdded(), "new message") + ".");
        if (result.deleted() > 0) {
            out.println(
                    count(result.deleted(), "conversation") + " sent before and deleted in the server since: not sent");
        }
        tell("In the old database: ", result.old());
        tell("In the server:       ", result.found());
        result.events()
                .forEach((what, number) -> out.println(String.format(Locale.ROOT, "Events: %,d %s", number, what)));
        if (leftOut > 0) {
            out.println(count(leftOut, "value") + " left out that cannot be stored");
        }
        if (refused > 0) {
            out.println(count(refused, "thing") + " not moved"
                    + (refused > LINES_MAX ? ", of which the first " + LINES_MAX + " are listed" : ""));
        }
        out.println(
                isStopped
                        ? "Interrupted: repeat it to go on."
                        : result.isAllThere() ? "All of it is there." : "Not all of it is there.");
    }

    private void tell(String where, Counted counted) {
        out.println(where + count(counted.conversations(), "conversation") + ", " + count(counted.messages(), "message")
                + ", " + count(counted.participants(), "participant"));
    }
}
