package dev.agentpipe.server.check;

/**
 * One line of the checklist.
 *
 * @param <L> what its group has looked at
 */
record Item<L>(String id, String title, Judge<L> judge) {

    /** Whatever it throws means that it could not be looked at. */
    interface Judge<L> {
        Verdict of(L look) throws Exception;
    }
}
