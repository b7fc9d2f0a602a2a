package dev.agentpipe.core.log;

import java.util.List;

/**
 * A committed append: it owns the positions after {@code headBefore}, up to {@code head}, and no other append has any of
 * them. Those of duplicates stay empty, and none lies at the end: {@code head} is the last position stored, or {@code
 * headBefore} if nothing was.
 *
 * @param results one for each event, in their order
 */
public record Appended(long headBefore, long head, List<AppendResult> results) {
    public Appended {
        results = List.copyOf(results);
    }
}
