package dev.agentpipe.server.transfer;

/** Where pieces go: a server, or a check that only looks at them. */
interface Destination {

    Taken take(Piece piece) throws GaveUpException, StoppedException, InterruptedException;
}
