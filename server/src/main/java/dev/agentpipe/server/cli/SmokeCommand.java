package dev.agentpipe.server.cli;

import dev.agentpipe.server.smoke.Smoke;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Tries a running server. */
@Command(
        name = "smoke",
        description = "Try a running server from outside: events in, stream out, resume; says what failed.",
        footer = {
            "",
            "The key is that of --key-file, else AGENTPIPE_BRIDGE_API_KEY (its first), else",
            "AGENTPIPE_STREAM_API_KEY, else, for a server on this machine, DATA_DIR/api-key."
        })
final class SmokeCommand implements Callable<Integer> {

    private static final Duration MOST_EACH = Duration.ofSeconds(10);
    private static final Duration MOST_IN_ALL = Duration.ofSeconds(30);

    @Spec
    private CommandSpec spec;

    @Mixin
    private final RemoteServer.Argument server;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    SmokeCommand(Map<String, String> environment) {
        server = new RemoteServer.Argument(environment);
    }

    @Override
    public Integer call() throws InterruptedException {
        URI base = server.base();
        boolean passed = new Smoke(
                        base,
                        server.key(),
                        MOST_EACH,
                        MOST_IN_ALL,
                        spec.commandLine().getOut())
                .run();
        return passed ? Commands.OK : Commands.FAILED;
    }
}
