package dev.agentpipe.server.cli;

import dev.agentpipe.db.web.WebDatabase;
import dev.agentpipe.db.web.WebDatabaseException;
import dev.agentpipe.server.transfer.DoneList;
import dev.agentpipe.server.transfer.GaveUpException;
import dev.agentpipe.server.transfer.Import;
import dev.agentpipe.server.transfer.Stop;
import dev.agentpipe.server.transfer.StoppedException;
import dev.agentpipe.server.transfer.TransferClient;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Copies an agentpipe-web database into a running server. */
@Command(
        name = "import",
        sortOptions = false,
        description = {
            "Copy the conversations of an agentpipe-web database into a server.",
            "",
            "It reads the old database and changes nothing there. Repeat it as you like, also after an interruption: what"
                    + " the server has is not made twice.",
            ""
        },
        footer = {
            "",
            "The key is that of --key-file, else AGENTPIPE_BRIDGE_API_KEY (its first), else",
            "AGENTPIPE_STREAM_API_KEY, else, for a server on this machine, DATA_DIR/api-key.",
            "",
            "What a server has acknowledged is remembered in ~/.local/state/agentpipe-server (or",
            "$XDG_STATE_HOME). At the end both sides are counted. Exit codes: 0 all is there,",
            "1 not all, 2 wrong usage.",
            "",
            "Example:",
            "  export IMPORT_DATABASE_URL='postgresql://user:password@host:5432/agentpipe_web'",
            "  agentpipe-server import --url https://pipe.example --key-file key"
        })
final class ImportCommand implements Callable<Integer> {

    private static final String VARIABLE = "IMPORT_DATABASE_URL";

    /** A request under way is cut off, so this is for telling alone; a query ends by itself. */
    private static final Duration STOP_MAX = Duration.ofSeconds(10);

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--from",
            paramLabel = "DATABASE_URL",
            description =
                    "The old database, as agentpipe-web has it in DATABASE_URL. Every user of the machine can read"
                            + " arguments: with a password in it, set " + VARIABLE + " instead.")
    private String from;

    @Mixin
    private final RemoteServer.Named server;

    @Mixin
    private final AgainOption again = new AgainOption();

    @Option(names = "--json", description = "Print the result as one JSON object; the progress goes to standard error.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    ImportCommand(Map<String, String> environment) {
        this.environment = environment;
        server = new RemoteServer.Named(environment);
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        String url = from == null ? environment.getOrDefault(VARIABLE, "") : from;
        if (url.isBlank()) {
            throw wrong("from where? Set " + VARIABLE + ", or give --from");
        }
        URI base = server.base();
        String key = server.key();
        ImportTold told =
                new ImportTold(spec.commandLine().getOut(), spec.commandLine().getErr(), json, Terminal.isThere());
        Stop stop = new Stop();
        StopOnSignal signal = new StopOnSignal("import-stop", stop::request, STOP_MAX);
        TransferClient client = new TransferClient(base, key, stop, told::waits);
        Import theImport = null;
        try (WebDatabase source = open(url);
                DoneList done = again.done(client, environment, told::waits)) {
            told.start(source.counts(), base);
            theImport = new Import(source, client, done, told);
            theImport.run();
        } catch (GaveUpException | WebDatabaseException e) {
            told.gaveUp(e.getMessage());
        } catch (StoppedException ended) {
            // The result says it.
        } finally {
            if (theImport != null) {
                told.end(theImport.result(), stop.isRequested());
            }
            signal.told();
        }
        return theImport != null && theImport.result().isAllThere() ? Commands.OK : Commands.FAILED;
    }

    private WebDatabase open(String url) {
        try {
            return WebDatabase.open(url);
        } catch (IllegalArgumentException notAUrl) {
            throw wrong((from == null ? VARIABLE : "--from") + " " + notAUrl.getMessage());
        }
    }

    private ParameterException wrong(String what) {
        return new ParameterException(spec.commandLine(), what);
    }
}
