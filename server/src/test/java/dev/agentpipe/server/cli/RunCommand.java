package dev.agentpipe.server.cli;

import dev.agentpipe.server.SecretsSearch;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/**
 * What a command said and ended with, run in this JVM.
 *
 * @param said both standard output and standard error
 */
public record RunCommand(int status, String said) {

    public static RunCommand of(Map<String, String> environment, String... arguments) {
        StringWriter said = new StringWriter();
        int status = Commands.of(environment)
                .setOut(new PrintWriter(said, true))
                .setErr(new PrintWriter(said, true))
                .execute(arguments);
        SecretsSearch.printed(said.toString());
        return new RunCommand(status, said.toString());
    }

    /** Throws if it failed. */
    public RunCommand succeeded() {
        if (status != 0) {
            throw new AssertionError(status + ": " + said);
        }
        return this;
    }
}
