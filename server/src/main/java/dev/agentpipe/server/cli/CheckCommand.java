package dev.agentpipe.server.cli;

import dev.agentpipe.server.ApiKey;
import dev.agentpipe.server.KeyFile;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.check.CheckReport;
import dev.agentpipe.server.check.Checklist;
import dev.agentpipe.server.check.Subject;
import dev.agentpipe.server.check.Verdict.Status;
import java.io.PrintWriter;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The deployment checklist. */
@Command(
        name = CheckCommand.NAME,
        sortOptions = false,
        description = "Look a deployment over: settings, database, Redis, what clients see, machine. Changes nothing.",
        footer = {
            "",
            "Exit code: 0 all is well, or there are only warnings; 1 something failed; 2 wrong usage or",
            "settings. docs/check.md has all items, and what each warns of.",
            "",
            "Example:",
            "  agentpipe-server check --env-file /etc/agentpipe-server/agentpipe-server.env https://pipe.example"
        })
final class CheckCommand implements Callable<Integer> {

    static final String NAME = "check";

    private static final Set<String> ALL_ADDRESSES = Set.of("0.0.0.0", "::", "[::]");

    @Spec
    private CommandSpec spec;

    @Mixin
    private final EnvironmentOption environment;

    @Parameters(
            paramLabel = "URL",
            arity = "0..1",
            description = "As clients have it (default: this machine, at the PORT of the settings).")
    private String url;

    @Option(
            names = "--nodes",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many servers share the database.")
    private int nodes;

    @Option(names = "--key-file", paramLabel = "FILE", description = "A key for reading, where that takes one.")
    private Path keyFile;

    @Option(names = "--strict", description = "Exit with 1 on warnings, too.")
    private boolean isStrict;

    @Option(
            names = {"-q", "--quiet"},
            description = "Show warnings and failures alone.")
    private boolean isQuiet;

    @Option(names = "--json", description = "For programs: docs/check.md describes it.")
    private boolean isJson;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    CheckCommand(Map<String, String> variables) {
        environment = new EnvironmentOption(variables);
    }

    @Override
    public Integer call() throws InterruptedException {
        if (nodes < 1 || nodes > 1_000) {
            throw new ParameterException(spec.commandLine(), "--nodes is 1 to 1000");
        }
        Subject subject;
        try {
            Map<String, String> variables = environment.variables();
            Settings settings = SettingsReader.read(variables).settings();
            subject = new Subject(
                    settings, variables, environment.files(), base(settings), key(settings), nodes, Instant.now());
        } catch (SettingsException e) {
            return EnvironmentOption.tell(e, spec.commandLine().getErr());
        }
        CheckReport report =
                new CheckReport(subject.url(), Version.current(), subject.now(), new Checklist(subject).run());
        PrintWriter out = spec.commandLine().getOut();
        if (isJson) {
            out.println(report.json());
        } else {
            out.print(report.text(Terminal.isThere() && System.getenv("NO_COLOR") == null, isQuiet));
        }
        out.flush();
        boolean passed = report.status() == Status.OK || (report.status() == Status.WARNING && !isStrict);
        return passed ? Commands.OK : Commands.FAILED;
    }

    private URI base(Settings settings) {
        if (url == null) {
            String host = settings.listen().host();
            String reachable =
                    ALL_ADDRESSES.contains(host) ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host;
            String scheme = settings.tls().isPresent() ? "https" : "http";
            return URI.create(
                    scheme + "://" + reachable + ":" + settings.listen().port());
        }
        try {
            URI given = new URI(url.strip().replaceFirst("(/api/ingest)?/*$", ""));
            String scheme = given.getScheme();
            if (("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))
                    && given.getHost() != null
                    && given.getRawUserInfo() == null
                    && given.getRawQuery() == null
                    && given.getRawFragment() == null) {
                return given;
            }
        } catch (URISyntaxException e) {
            // Told below, without what it is: it may hold a key.
        }
        throw new ParameterException(
                spec.commandLine(),
                "URL is http:// or https://, a host and at most a path, such as https://pipe.example");
    }

    /** Which can read: all that are in the settings, and the generated one. */
    private Optional<String> key(Settings settings) {
        Path kept = KeyFile.in(settings.dataDir());
        try {
            if (keyFile != null) {
                return Optional.of(KeyFile.read(keyFile).value());
            }
            if (settings.apiKeys().isEmpty()) {
                return Files.isReadable(kept) ? Optional.of(KeyFile.read(kept).value()) : Optional.empty();
            }
        } catch (StartException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
        return settings.apiKeys().stream().findFirst().map(ApiKey::value);
    }
}
