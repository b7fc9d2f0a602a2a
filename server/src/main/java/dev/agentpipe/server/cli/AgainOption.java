package dev.agentpipe.server.cli;

import dev.agentpipe.server.transfer.DoneList;
import dev.agentpipe.server.transfer.GaveUpException;
import dev.agentpipe.server.transfer.StoppedException;
import dev.agentpipe.server.transfer.TransferClient;
import java.util.Map;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** Whether a command sends what its server has acknowledged before. */
final class AgainOption {

    @Option(names = "--again", description = "Send also what this server has acknowledged before.")
    private boolean again;

    /** What need not be sent, as it is remembered on this machine; nothing if all is to be sent. */
    DoneList done(TransferClient client, Map<String, String> environment, Consumer<String> waits)
            throws GaveUpException, InterruptedException, StoppedException {
        return again ? DoneList.forgetful() : DoneList.of(client, StateFolder.of(environment), waits);
    }
}
