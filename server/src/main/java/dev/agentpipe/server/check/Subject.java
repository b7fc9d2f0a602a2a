package dev.agentpipe.server.check;

import dev.agentpipe.server.Settings;
import java.net.URI;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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

    public Subject {
        variables = Map.copyOf(variables);
        files = List.copyOf(files);
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
