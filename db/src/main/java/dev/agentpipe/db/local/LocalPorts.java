package dev.agentpipe.db.local;

import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** Ports for the built-in PostgreSQL. */
final class LocalPorts {

    /** Below 32768, where Linux takes the ports of outgoing connections from: one of those could take ours meanwhile. */
    private static final int FIRST = 20_000;

    private static final int LAST = 32_000;
    private static final int TRIES = 100;

    private LocalPorts() {}

    static int free() {
        for (int i = 0; i < TRIES; i++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                // The next one, then.
            }
        }
        throw new DatabaseStartException("No free port for the built-in PostgreSQL from " + FIRST + " to " + LAST);
    }
}
