package dev.agentpipe.server.cli;

import dev.agentpipe.server.KeyFile;
import dev.agentpipe.server.Settings;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a person needs after the start, as lines to copy. A key is shown only when it was generated just now; any other one
 * is named by where the shell finds it.
 */
final class Banner {

    private static final Set<String> ALL_ADDRESSES = Set.of("0.0.0.0", "[::]", "[0:0:0:0:0:0:0:0]");

    private Banner() {}

    static String of(Settings settings, URI uri, Optional<String> generatedKey) {
        String url = reachable(uri);
        List<String> lines = new ArrayList<>(List.of(
                "",
                "AgentPipe Streaming is ready at " + url,
                "",
                "Point the AgentPipe CLI at it:",
                "  export AGENTPIPE_STREAM_ENABLED=true",
                "  export AGENTPIPE_STREAM_URL=" + url,
                "  export AGENTPIPE_STREAM_API_KEY=" + key(settings, generatedKey),
                "",
                "Watch what comes in:",
                "  curl -N " + url + "/api/realtime/stream",
                ""));
        if (generatedKey.isPresent()) {
            lines.add(
                    "This API key was generated now and is shown this once; it is kept in " + keyFile(settings) + ".");
            lines.add("");
        }
        return String.join(System.lineSeparator(), lines);
    }

    static Path keyFile(Settings settings) {
        return KeyFile.in(settings.dataDir());
    }

    private static String key(Settings settings, Optional<String> generatedKey) {
        if (generatedKey.isPresent()) {
            return generatedKey.get();
        }
        return switch (settings.apiKeys().size()) {
            case 0 -> "\"$(cat " + quoted(keyFile(settings)) + ")\"";
            case 1 -> "\"$AGENTPIPE_BRIDGE_API_KEY\"";
            default -> "\"${AGENTPIPE_BRIDGE_API_KEY%%,*}\"";
        };
    }

    /** Who listens to all addresses is reached, from here, at the local one. */
    private static String reachable(URI uri) {
        String host = ALL_ADDRESSES.contains(uri.getHost()) ? "127.0.0.1" : uri.getHost();
        return uri.getScheme() + "://" + host + ":" + uri.getPort();
    }

    private static String quoted(Path path) {
        return "'" + path.toString().replace("'", "'\\''") + "'";
    }
}
