package dev.agentpipe.server.cli;

import dev.agentpipe.server.KeyFile;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.StartException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/**
 * The server that a command talks to, and the key for it. The key is never an argument: those can be read by every user of
 * the machine.
 */
abstract class RemoteServer {

    private static final String URL_DEFAULT = "http://127.0.0.1:3000";
    private static final String URL_DESCRIPTION =
            "The server's URL, as the CLI has it in AGENTPIPE_STREAM_URL (default: ${DEFAULT-VALUE}).";
    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Map<String, String> environment;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--key-file", paramLabel = "FILE", description = "A file that holds the API key.")
    private Path keyFile;

    private RemoteServer(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Named by the command's only argument. */
    static final class Argument extends RemoteServer {

        @Parameters(paramLabel = "URL", arity = "0..1", defaultValue = URL_DEFAULT, description = URL_DESCRIPTION)
        private String url;

        Argument(Map<String, String> environment) {
            super(environment);
        }

        @Override
        String url() {
            return url;
        }
    }

    /** Named by an option, for commands with other arguments. */
    static final class Named extends RemoteServer {

        @Option(names = "--url", paramLabel = "URL", defaultValue = URL_DEFAULT, description = URL_DESCRIPTION)
        private String url;

        Named(Map<String, String> environment) {
            super(environment);
        }

        @Override
        String url() {
            return url;
        }
    }

    abstract String url();

    /** Taken only to be refused in words that help, and without an echo of the key. */
    @Option(names = "--key", hidden = true, arity = "0..1")
    private void refuseKey(String key) {
        throw wrong("--key is not taken: every user of the machine can read arguments. Set AGENTPIPE_STREAM_API_KEY, or"
                + " give --key-file");
    }

    /** Without a slash at its end. Cleaned as the CLI cleans it: the endpoint and slashes at the end are cut off. */
    URI base() {
        String cleaned = url().strip().replaceFirst("(/api/ingest)?/*$", "");
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
        throw wrong("\"" + url() + "\" is no http:// or https:// URL of a server");
    }

    String key() {
        return key(SettingsReader::clientKey);
    }

    /** For what takes the scope admin. */
    String adminKey() {
        return key(SettingsReader::adminKey);
    }

    private interface KeyReader {
        Optional<String> read(Map<String, String> environment) throws SettingsException;
    }

    private String key(KeyReader reader) {
        if (keyFile != null) {
            return keyIn(keyFile);
        }
        try {
            return reader.read(environment).orElseGet(this::keptKey);
        } catch (SettingsException e) {
            throw wrong(String.join("; ", e.problems()));
        }
    }

    private String keptKey() {
        Path kept;
        try {
            kept = KeyFile.in(SettingsReader.dataDir(environment));
        } catch (SettingsException e) {
            throw wrong(String.join("; ", e.problems()));
        }
        if (!THIS_MACHINE.contains(base().getHost())) {
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
