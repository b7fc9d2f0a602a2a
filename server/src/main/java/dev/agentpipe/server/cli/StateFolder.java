package dev.agentpipe.server.cli;

import java.nio.file.Path;
import java.util.Map;

/** Where commands remember what they have done, as the XDG Base Directory Specification has it. */
final class StateFolder {

    private StateFolder() {}

    static Path of(Map<String, String> environment) {
        String state = environment.getOrDefault("XDG_STATE_HOME", "");
        // A relative path is to be ignored, says the specification.
        Path folder = Path.of(state).isAbsolute()
                ? Path.of(state)
                : home(environment).resolve(".local").resolve("state");
        return folder.resolve("agentpipe-server");
    }

    /** As the CLI finds it. */
    static Path home(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", "");
        return Path.of(home.isEmpty() ? System.getProperty("user.home") : home);
    }
}
