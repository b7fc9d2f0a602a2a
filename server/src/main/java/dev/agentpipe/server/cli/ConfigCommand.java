package dev.agentpipe.server.cli;

import dev.agentpipe.server.EffectiveSettings;
import dev.agentpipe.server.EffectiveSettings.Entry;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What a server would run with. */
@Command(
        name = "config",
        sortOptions = false,
        description = "Show every setting with the value in effect and where it comes from, secrets masked.")
final class ConfigCommand implements Callable<Integer> {

    @Spec
    private CommandSpec spec;

    @Mixin
    private final EnvironmentOption environment;

    @Option(names = "--json", description = "For programs: an object of {value, source} by name.")
    private boolean isJson;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    ConfigCommand(Map<String, String> variables) {
        environment = new EnvironmentOption(variables);
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try {
            Map<String, String> variables = environment.variables();
            SettingsReader.Result read = SettingsReader.read(variables);
            List<Entry> entries = EffectiveSettings.of(
                    read.settings(), variables, environment.inFiles().keySet());
            if (isJson) {
                ObjectNode json = JsonMapper.shared().createObjectNode();
                entries.forEach(one -> json.putObject(one.name())
                        .put("value", one.value())
                        .put("source", one.source().label()));
                out.println(json.toPrettyString());
            } else {
                entries.forEach(one -> out.printf(
                        "%-11s  %-26s %s%n",
                        one.source().label(), one.name(), one.value().isEmpty() ? "(none)" : one.value()));
            }
            out.flush();
            return Commands.OK;
        } catch (SettingsException e) {
            return EnvironmentOption.tell(e, spec.commandLine().getErr());
        }
    }
}
