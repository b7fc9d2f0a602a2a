package dev.agentpipe.server.cli;

import dev.agentpipe.server.KeyFile;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.StartException;
import dev.agentpipe.server.smoke.Smoke;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tries a running server. The key is never an argument: those can be read by every user of the machine. */
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
    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Map<String, String> environment;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "URL",
            arity = "0..1",
            defaultValue = "http://127.0.0.1:3000",
            description = "The server's URL, as the CLI has it in AGENTPIPE_STREAM_URL (default: ${DEFAULT-VALUE}).")
    private String url;

    @Option(names = "--key-file", paramLabel = "FILE", description = "A file that holds the API key.")
    private Path keyFile;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    SmokeCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() throws InterruptedException {
        URI base = base(url);
        boolean passed = new Smoke(
                        base,
                        key(base),
                        MOST_EACH,
                        MOST_IN_ALL,
                        spec.commandLine().getOut())
                .run();
        return passed ? Commands.OK : Commands.FAILED;
    }

    /** Cleaned as the CLI cleans it: the endpoint and slashes at the end are cut off. */
    private URI base(String text) {
        String cleaned = text.strip().replaceFirst("(/api/ingest)?/*$", "");
        try {
            URI uri = new URI(cleaned);
            String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
            if (Set.of("http", "https").contains(scheme)
                    && uri.getHost() != null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // Told below, as any other text that is no such URL.
        }
        throw wrong("\"" + text + "\" is no http:// or https:// URL of a server");
    }

    private String key(URI base) {
        if (keyFile != null) {
            return keyIn(keyFile);
        }
        try {
            return SettingsReader.clientKey(environment).orElseGet(() -> keptKey(base));
        } catch (SettingsException e) {
            throw wrong(String.join("; ", e.problems()));
        }
    }

    private String keptKey(URI base) {
        Path kept;
        try {
            kept = KeyFile.in(SettingsReader.dataDir(environment));
        } catch (SettingsException e) {
            throw wrong(String.join("; ", e.problems()));
        }
        if (!THIS_MACHINE.contains(base.getHost())) {
            throw wrong("which key? Set AGENTPIPE_STREAM_API_KEY, or give --key-file");
        }
        if (!Files.exists(kept)) {
            throw wrong("which key? Set AGENTPIPE_STREAM_API_KEY, or give --key-file; there is no " + kept);
        }
        return keyIn(kept);
    }

    private String keyIn(Path file) {
        try {
            return KeyFile.read(file).value();
        } catch (StartException e) {
            throw wrong(e.getMessage());
        }
    }

    private ParameterException wrong(String what) {
        return new ParameterException(spec.commandLine(), what);
    }
}
