package dev.agentpipe.server;

import java.util.List;

/** The environment cannot be used as it is. Every problem is a line of its own that names its variable and no secret. */
public final class SettingsException extends Exception {

    private final List<String> problems;

    public SettingsException(List<String> problems) {
        super(String.join("; ", problems));
        this.problems = List.copyOf(problems);
    }

    public List<String> problems() {
        return problems;
    }
}
