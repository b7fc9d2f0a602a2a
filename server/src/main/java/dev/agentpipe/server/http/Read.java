package dev.agentpipe.server.http;

/** A look at stored data, for one URL. Thread-safe; called on a thread of {@link Reads}, which it may block. */
@FunctionalInterface
public interface Read {

    /**
     * @throws BadRequest for parameters that cannot be used
     * @throws dev.agentpipe.core.log.LogUnavailableException while the database is away
     */
    Answer read(ReadRequest request);
}
