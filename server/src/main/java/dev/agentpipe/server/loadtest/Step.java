package dev.agentpipe.server.loadtest;

/** A load that is held for a while. */
record Step(int streams, double eventsPerSecond) {}
