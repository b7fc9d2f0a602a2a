package dev.agentpipe.server.check;

import dev.agentpipe.server.Settings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The deployment that is looked at.
 *
 * @param variables what the settings were read from
 * @param files the files that these stand in; none: this process's environment
 * @param url without a slash at its end
 * @param key for reading, where that takes one
 * @param nodes how many servers share the database
 */
public record Subject(
        Settings settings,
        Map<String, String> variables,
        List<Path> files,
        URI url,
        Optional<String> key,
        int nodes,
        Instant now) {

    private static final Set<String> ALL_ADDRESSES = Set.of("0.0.0.0", "::", "[::]");

    public Subject {
        variables = Map.copyOf(variables);
        files = List.copyOf(files);
    }

    /** Who listens to all addresses is reached, from here, at the local one. */
    public static String reachable(String host) {
        return ALL_ADDRESSES.contains(host) ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host;
    }

    boolean isProduction() {
        return settings.environment() == Settings.Environment.PRODUCTION;
    }

    /** What may be said of it in a log: it holds keys. */
    @Override
    public String toString() {
        return "Subject[" + url + "]";
    }
}
