package dev.agentpipe.server.loadtest;

/**
 * One thing in which a step was missed.
 *
 * @param isLateness whether something took too long; that a load generator can do to itself, while it refuses nothing and
 *     loses nothing
 */
record Shortfall(boolean isLateness, String text) {

    /** For people. */
    @Override
    public String toString() {
        return text;
    }
}
