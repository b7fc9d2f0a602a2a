package dev.agentpipe.server.cli;

import dev.agentpipe.server.EnvironmentFile;
import dev.agentpipe.server.SettingsException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/**
 * Where the settings of a server are: for those who run a command in a shell, where the variables of the service are not. What
 * a file says wins, as with systemd; what none says comes from the shell.
 */
final class EnvironmentOption {

    private final Map<String, String> environment;

    @Option(
            names = "--env-file",
            paramLabel = "FILE",
            description = {
                "A file of the server's variables, as systemd reads it. It wins over the shell's; of",
                "several, the later ones win."
            })
    private List<Path> files = List.of();

    EnvironmentOption(Map<String, String> environment) {
        this.environment = environment;
    }

    List<Path> files() {
        return files;
    }

    /** @throws SettingsException if a file cannot be used */
    Map<String, String> variables() throws SettingsException {
        Map<String, String> variables = new HashMap<>(environment);
        variables.putAll(inFiles());
        return variables;
    }

    /** @throws SettingsException if a file cannot be used */
    Map<String, String> inFiles() throws SettingsException {
        Map<String, String> variables = new HashMap<>();
        for (Path file : files) {
            variables.putAll(EnvironmentFile.read(file));
        }
        return variables;
    }

    /** As {@code serve} tells it. */
    static int tell(SettingsException e, PrintWriter err) {
        err.println("agentpipe-server: the environment cannot be used as it is:");
        e.problems().forEach(problem -> err.println("  " + problem));
        return Commands.WRONG_USAGE;
    }
}
