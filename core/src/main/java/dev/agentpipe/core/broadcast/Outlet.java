package dev.agentpipe.core.broadcast;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Where a subscription's bytes go: the transport's side of a connection. Used on its lane's thread only. */
public interface Outlet {

    /** Writes what can be written without blocking, and returns how much that was. */
    int write(ByteBuffer bytes) throws IOException;

    /** Asks for one call of {@link Lane#writable} when more can be written. */
    void awaitWritable();

    /** Ends the connection. Called once; never calls back. */
    void close(CloseReason reason);
}
