package dev.agentpipe.server;

import dev.agentpipe.server.cli.Commands;

/** The program {@code agentpipe-server}. */
public final class Main {

    private Main() {}

    public static void main(String[] arguments) {
        System.exit(Commands.run(arguments, System.getenv()));
    }
}
