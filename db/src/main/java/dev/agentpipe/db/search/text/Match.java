package dev.agentpipe.db.search.text;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A place in a text where something was found.
 *
 * @param clause which of the query's
 */
record Match(int start, int end, int clause) {

    /** In their order; what overlaps becomes one, with the clause of the first. */
    static List<Match> merged(List<Match> matches) {
        List<Match> sorted = new ArrayList<>(matches);
        sorted.sort(Comparator.comparingInt(Match::start).thenComparing(Match::end, Comparator.reverseOrder()));
        List<Match> merged = new ArrayList<>();
        for (Match match : sorted) {
            Match last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (last == null || match.start >= last.end) {
                merged.add(match);
            } else if (match.end > last.end) {
                merged.set(merged.size() - 1, new Match(last.start, match.end, last.clause));
            }
        }
        return merged;
    }
}
