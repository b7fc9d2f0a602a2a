package dev.agentpipe.server;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What was started, to be closed in reverse order; a part that fails to close does not keep the others open. */
final class ClosingStack implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ClosingStack.class);

    private record Part(String name, AutoCloseable closeable) {}

    private final Deque<Part> parts = new ArrayDeque<>();
    private final Thread exit = new Thread(this::close, "start-exit");
    private boolean closed;

    /** From here to {@link #started}, a process that is ended closes what there is of it. */
    void starting() {
        Runtime.getRuntime().addShutdownHook(exit);
    }

    /** From now on it is for the owner to close it. */
    void started() {
        if (!forgetExit()) {
            throw new StartException("the process was ended while it was starting");
        }
    }

    /** False if the process is ending already. */
    private boolean forgetExit() {
        try {
            Runtime.getRuntime().removeShutdownHook(exit);
            return true;
        } catch (IllegalStateException ending) {
            return false;
        }
    }

    synchronized <T extends AutoCloseable> T add(String name, T part) {
        parts.push(new Part(name, part));
        if (closed) {
            close();
            throw new StartException("the process was ended while it was starting");
        }
        return part;
    }

    @Override
    public synchronized void close() {
        closed = true;
        forgetExit();
        while (!parts.isEmpty()) {
            Part part = parts.pop();
            try {
                part.closeable.close();
            } catch (Exception e) {
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                }
                log.warn("Closing {} failed", part.name, e);
            }
        }
    }
}
