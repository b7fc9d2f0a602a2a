package dev.agentpipe.server.cli;

import dev.agentpipe.server.Settings;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The table of commands. */
public final class Commands {

    static final int OK = 0;
    static final int FAILED = 1;
    static final int WRONG_USAGE = 2;

    private static final Set<String> ON_DATABASE =
            Set.of(KeysCommand.NAME, BackupCommand.NAME, RestoreCommand.NAME, CheckCommand.NAME, MigrateCommand.NAME);

    private Commands() {}

    /** Runs one command to its end and gives its exit code. */
    public static int run(String[] arguments, Map<String, String> environment) {
        if (List.of(arguments).equals(List.of(ServeCommand.NAME))) {
            return serve(environment);
        }
        if (arguments.length > 0 && ON_DATABASE.contains(arguments[0])) {
            // They work on the database, whose libraries have much to say that nobody has asked for.
            LogSetup.apply(new Settings.Logging(Settings.LogLevel.ERROR, Settings.LogFormat.TEXT));
        }
        return of(environment).execute(arguments);
    }

    /** Past picocli, which has nothing to parse here and would take an eighth of a second to get ready for it. */
    private static int serve(Map<String, String> environment) {
        try {
            return new ServeCommand(environment).call();
        } catch (InterruptedException | RuntimeException failed) {
            return failed(new PrintWriter(System.err, true), failed);
        }
    }

    private static int failed(PrintWriter err, Exception exception) {
        err.println("agentpipe-server: " + StartFailure.line(exception));
        return FAILED;
    }

    static CommandLine of(Map<String, String> environment) {
        return new CommandLine(new Root())
                .addSubcommand(new ServeCommand(environment))
                .addSubcommand(new SmokeCommand(environment))
                .addSubcommand(new BenchCommand(environment))
                .addSubcommand(new UploadCommand(environment))
                .addSubcommand(new ImportCommand(environment))
                .addSubcommand(new KeysCommand(environment))
                .addSubcommand(new LogLevelCommand(environment))
                .addSubcommand(new BackupCommand(environment))
                .addSubcommand(new RestoreCommand(environment))
                .addSubcommand(new CheckCommand(environment))
                .addSubcommand(new ConfigCommand(environment))
                .addSubcommand(new MigrateCommand(environment))
                .addSubcommand(new RedactCommand(System.in, System.out))
                .addSubcommand(new TrainCommand())
                .addSubcommand(new VersionCommand())
                .addSubcommand(new CommandLine.HelpCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(
                        (exception, commandLine, result) -> failed(commandLine.getErr(), exception));
    }

    @Command(
            name = "agentpipe-server",
            description = "Takes the events of AgentPipe conversations in, keeps them, and streams them live.",
            versionProvider = VersionCommand.Line.class,
            footer = {"", "Settings come from environment variables; README.md lists them."})
    private static final class Root implements Runnable {

        @Spec
        private CommandSpec spec;

        @Option(names = "--version", versionHelp = true, description = "Print the version.")
        private boolean version;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Print this text.")
        private boolean help;

        @Override
        public void run() {
            throw new CommandLine.ParameterException(spec.commandLine(), "Which command?");
        }
    }
}
