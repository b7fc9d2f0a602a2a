package dev.agentpipe.server.cli;

import dev.agentpipe.server.transfer.DoneList;
import dev.agentpipe.server.transfer.GaveUpException;
import dev.agentpipe.server.transfer.SourceFiles;
import dev.agentpipe.server.transfer.Stop;
import dev.agentpipe.server.transfer.StoppedException;
import dev.agentpipe.server.transfer.TransferClient;
import dev.agentpipe.server.transfer.Upload;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Sends event files to a running server. */
@Command(
        name = "upload",
        sortOptions = false,
        description = {
            "Send event files to a server: what the CLI could not deliver, or saw before there was a server.",
            "",
            "Repeat it as you like, also after an interruption: the server knows what it has.",
            ""
        },
        footer = {
            "",
            "The key is that of --key-file, else AGENTPIPE_BRIDGE_API_KEY (its first), else",
            "AGENTPIPE_STREAM_API_KEY, else, for a server on this machine, DATA_DIR/api-key.",
            "",
            "A file is stored as a whole or not at all. Which contents a server has acknowledged is",
            "remembered in ~/.local/state/agentpipe-server (or $XDG_STATE_HOME), so that unchanged",
            "files do not travel again. Exit codes: 0 all is there, 1 not all, 2 wrong usage.",
            "",
            "Examples:",
            "  agentpipe-server upload --dry-run",
            "  agentpipe-server upload --url https://pipe.example --key-file key",
            "  agentpipe run --json ... | agentpipe-server upload -"
        })
final class UploadCommand implements Callable<Integer> {

    /** A request under way is cut off, so this is for telling alone. */
    private static final Duration STOP_MAX = Duration.ofSeconds(10);

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "FILE|DIR",
            description = "Event files (.jsonl, .ndjson, .json, also .gz), folders with such files, or - for standard"
                    + " input (default: ~/.agentpipe/events, where the CLI keeps its own).")
    private List<String> sources = new ArrayList<>();

    @Mixin
    private final RemoteServer.Named server;

    @Option(names = "--dry-run", description = "Check the files, here and without a server; send nothing.")
    private boolean dryRun;

    @Mixin
    private final AgainOption again = new AgainOption();

    @Option(
            names = "--json",
            description =
                    "Print one JSON object for each file, and one with the sums; the progress goes to standard error.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    UploadCommand(Map<String, String> environment) {
        this.environment = environment;
        server = new RemoteServer.Named(environment);
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        UploadTold told = new UploadTold(
                spec.commandLine().getOut(), spec.commandLine().getErr(), json, Terminal.isThere(), dryRun);
        URI base = dryRun ? null : server.base();
        String key = dryRun ? null : server.key();
        if (sources.isEmpty()) {
            Path own = StateFolder.home(environment).resolve(".agentpipe").resolve("events");
            if (!Files.isDirectory(own)) {
                told.nothing("There is no folder " + own + ", so there is nothing to upload.");
                return Commands.OK;
            }
            sources.add(own.toString());
        }
        SourceFiles files = SourceFiles.find(sources);
        Stop stop = new Stop();
        StopOnSignal signal = new StopOnSignal("upload-stop", stop::request, STOP_MAX);
        try {
            told.start(files, base);
            if (dryRun) {
                Upload.dryRun(told, stop).run(files);
            } else {
                TransferClient client = new TransferClient(base, key, stop, told::waits);
                try (DoneList done = again.done(client, environment, told::waits)) {
                    Upload.to(client, done, told).run(files);
                }
            }
        } catch (StoppedException ended) {
            // The summary says it.
        } catch (GaveUpException e) {
            told.gaveUp(e.getMessage());
        } finally {
            told.end(stop.isRequested());
            signal.told();
        }
        return told.isAllDone() && !stop.isRequested() ? Commands.OK : Commands.FAILED;
    }
}
