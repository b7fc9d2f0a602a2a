package dev.agentpipe.server.transfer;

import java.util.List;

/**
 * What became of a file.
 *
 * @param lines that were sent, or checked; 1 for a session
 * @param added messages that the server did not have
 * @param duplicates of what was sent, so many the server had
 * @param problems one a line, for people: the place, and what is wrong there
 * @param note something to know though nothing failed; "" if there is nothing
 */
public record FileOutcome(
        String file, Status status, long lines, long added, long duplicates, List<String> problems, String note) {

    /** The end of a file's way. */
    public enum Status {
        /** All of it is in the server. */
        DONE,
        /** The server acknowledged just this content before. */
        UNCHANGED,
        /** Nothing in it that could be sent. */
        EMPTY,
        /** Found in a folder, and neither events nor a session. */
        SKIPPED,
        /** Some or all of it is not in the server. */
        FAILED
    }

    public FileOutcome {
        problems = List.copyOf(problems);
    }

    static FileOutcome failed(String file, String problem) {
        return new FileOutcome(file, Status.FAILED, 0, 0, 0, List.of(problem), "");
    }
}
