package dev.agentpipe.server.transfer;

import java.util.List;

/**
 * What became of a piece: stored as a whole, or not at all.
 *
 * @param added messages that were new
 * @param duplicates what was there before
 * @param refusals what is wrong with it, if it was not stored
 */
record Taken(boolean isStored, boolean isTooLarge, long added, long duplicates, List<Refusal> refusals) {

    /**
     * @param line of the piece, from 1; 0 if it is about no line
     * @param pointer JSON Pointer into that line, or into the session; "" if there is none
     */
    record Refusal(long line, String pointer, String detail) {}

    static Taken stored(long added, long duplicates) {
        return new Taken(true, false, added, duplicates, List.of());
    }

    static Taken refused(boolean isTooLarge, List<Refusal> refusals) {
        return new Taken(false, isTooLarge, 0, 0, List.copyOf(refusals));
    }
}
