package dev.agentpipe.server.cli;

import dev.agentpipe.server.transfer.FileOutcome;
import dev.agentpipe.server.transfer.FileOutcome.Status;
import dev.agentpipe.server.transfer.SourceFiles;
import dev.agentpipe.server.transfer.UploadListener;
import java.io.PrintWriter;
import java.net.URI;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/** What an upload says: to people in lines, to programs in JSON objects, a line each. Used by the command's thread. */
final class UploadTold implements UploadListener {

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean json;
    private final boolean dryRun;
    private final ProgressLine progress;
    private final Map<Status, Integer> files = new EnumMap<>(Status.class);
    private int filesInAll;
    private long lines;
    private long added;
    private long duplicates;
    private String at = "";
    private String gaveUp = "";

    UploadTold(PrintWriter out, PrintWriter err, boolean json, boolean isTerminal, boolean dryRun) {
        this.out = out;
        this.err = err;
        this.json = json;
        this.dryRun = dryRun;
        progress = new ProgressLine(json ? err : out, err, isTerminal);
    }

    void nothing(String line) {
        progress.say(line);
        end(false);
    }

    void start(SourceFiles sources, URI base) {
        filesInAll = sources.files().size() + sources.problems().size();
        progress.say((dryRun ? "Checking " : "Uploading ") + count(filesInAll, "file") + (dryRun ? "" : " to " + base));
    }

    @Override
    public void begin(int number, int of, String file) {
        at = "[" + number + "/" + of + "] " + file;
        progress.now(at);
    }

    @Override
    public void sending(long lineFrom, int lineCount, int compressedBytes) {
        progress.now(at + ": " + count(lineCount, "line") + " from " + lineFrom + ", "
                + (compressedBytes + 1_023) / 1_024 + " KiB");
    }

    /** Something keeps it from going on at once. */
    void waits(String why) {
        progress.end();
        err.println(why);
        err.flush();
    }

    @Override
    public void done(FileOutcome outcome) {
        files.merge(outcome.status(), 1, Integer::sum);
        lines += outcome.lines();
        added += outcome.added();
        duplicates += outcome.duplicates();
        progress.end();
        if (json) {
            out.println(JsonMapper.shared().writeValueAsString(outcome));
            out.flush();
        } else if (outcome.status() != Status.UNCHANGED && outcome.status() != Status.SKIPPED) {
            progress.say(line(outcome));
        }
        for (String problem : outcome.problems()) {
            err.println(outcome.file() + ": " + problem);
        }
        if (!outcome.note().isEmpty()) {
            err.println(outcome.file() + ": " + outcome.note());
        }
        err.flush();
    }

    private String line(FileOutcome outcome) {
        String what = switch (outcome.status()) {
            case DONE ->
                dryRun
                        ? "valid: " + count(outcome.lines(), "line")
                        : count(outcome.added(), "new message") + ", " + count(outcome.duplicates(), "duplicate");
            case FAILED -> "failed: " + count(outcome.problems().size(), "problem");
            default -> outcome.status().name().toLowerCase(Locale.ROOT);
        };
        return outcome.file() + ": " + what;
    }

    void gaveUp(String why) {
        gaveUp = why;
        progress.end();
        err.println("agentpipe-server: " + why);
        err.flush();
    }

    /** @param isStopped whether a person ended it */
    void end(boolean isStopped) {
        progress.end();
        int tried = files.values().stream().mapToInt(Integer::intValue).sum();
        if (json) {
            Map<String, Object> sums = new LinkedHashMap<>();
            sums.put("summary", true);
            sums.put("files", filesInAll);
            for (Status status : Status.values()) {
                sums.put(status.name().toLowerCase(Locale.ROOT), count(status));
            }
            sums.put("notTried", filesInAll - tried);
            sums.put("lines", lines);
            sums.put("added", added);
            sums.put("duplicates", duplicates);
            sums.put("interrupted", isStopped);
            sums.put("gaveUp", gaveUp.isEmpty() ? null : gaveUp);
            out.println(JsonMapper.shared().writeValueAsString(sums));
        } else {
            out.println(summary(tried) + (isStopped ? " Interrupted: repeat it to go on." : ""));
        }
        out.flush();
    }

    private String summary(int tried) {
        StringBuilder text = new StringBuilder(count(filesInAll, "file")).append(": ");
        text.append(count(Status.DONE)).append(dryRun ? " valid" : " sent");
        append(text, count(Status.UNCHANGED), "unchanged since the server acknowledged them");
        append(text, count(Status.EMPTY), "empty");
        append(text, count(Status.SKIPPED), "of something else");
        append(text, count(Status.FAILED), "failed");
        append(text, filesInAll - tried, "not tried");
        text.append(". ").append(count(lines, "line"));
        if (!dryRun) {
            text.append(" sent: ")
                    .append(count(added, "new message"))
                    .append(", ")
                    .append(count(duplicates, "duplicate"));
        }
        return text.append('.').toString();
    }

    private static void append(StringBuilder text, int count, String what) {
        if (count > 0) {
            text.append(", ").append(count).append(' ').append(what);
        }
    }

    private int count(Status status) {
        return files.getOrDefault(status, 0);
    }

    static String count(long count, String what) {
        return String.format(Locale.ROOT, "%,d %s%s", count, what, count == 1 ? "" : "s");
    }

    boolean isAllDone() {
        int tried = files.values().stream().mapToInt(Integer::intValue).sum();
        return gaveUp.isEmpty() && count(Status.FAILED) == 0 && tried == filesInAll;
    }
}
