package dev.agentpipe.server.loadtest;

import static dev.agentpipe.server.loadtest.Result.millis;

import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** What a run has found: what the deployment carries, and how that compares with the goal. */
public final class Report {

    private final URI base;
    private final Plan plan;
    private final Goal goal;
    private final List<Result> results;
    private final Left left;
    private final End end;

    Report(URI base, Plan plan, List<Result> results, Left left, End end) {
        this.base = base;
        this.plan = plan;
        this.goal = plan.goal();
        this.results = List.copyOf(results);
        this.left = left;
        this.end = end;
    }

    /** What stays in the deployment. */
    record Left(String firstConversation, String lastConversation, int conversations, long messages) {}

    /** Why there are no more steps. */
    enum End {
        ALL_TRIED,
        TIME_OVER,
        /** Two steps in a row, not one event was stored: the server is gone, or lets nobody in. */
        NOTHING_STORED,
        STOPPED
    }

    /** Whether every target was tried and met. */
    public boolean isMet() {
        return !results.isEmpty() && verdicts().stream().allMatch(one -> one.outcome() == Verdict.Outcome.OK);
    }

    /** For people, several lines. */
    public String text() {
        return new ReportText(this).toString();
    }

    /** For programs, one line: an object. */
    public String json() {
        return ReportJson.of(this).toString();
    }

    /** The greatest load that was carried: most events, and among those most streams. */
    Optional<Result> greatestCarried() {
        return carried().max(Comparator.comparingDouble(Report::rate).thenComparingDouble(Report::streams));
    }

    List<Verdict> verdicts() {
        if (results.isEmpty()) {
            return List.of();
        }
        Result judged = judged();
        Percentiles latency = judged.seen().latency();
        double errors = judged.seen().errorShare();
        List<Verdict> all = new ArrayList<>();
        all.add(Verdict.atMost(
                "API p95", judged, latency.p95(), goal.p95Millis(), millis(latency.p95()), millis(goal.p95Millis())));
        if (Double.isFinite(goal.p99Millis())) {
            all.add(Verdict.atMost(
                    "API p99",
                    judged,
                    latency.p99(),
                    goal.p99Millis(),
                    millis(latency.p99()),
                    millis(goal.p99Millis())));
        }
        all.add(Verdict.atMost(
                "error rate",
                judged,
                errors,
                goal.errorShare(),
                text("%.2f %% of %,d", 100 * errors, judged.seen().due()),
                text("%s %%", 100 * goal.errorShare())));
        all.add(Verdict.atLeast(
                "streams",
                missedStreams(),
                streamsCarried(),
                goal.streams(),
                text(" at %,.1f events/s", judgedRate())));
        all.add(Verdict.atLeast("events/s", missedRate(), rateCarried(), goal.eventsPerSecond(), ""));
        return all;
    }

    /**
     * Where times and errors are held against the goal: at the goal's rate with the most streams that were carried with it,
     * and if none were, where that was missed.
     */
    Result judged() {
        return carried()
                .filter(one -> rate(one) == judgedRate())
                .max(Comparator.comparingDouble(Report::streams))
                .orElse(results.get(0));
    }

    /** Why it is not more streams; empty if more were not tried. */
    Optional<Result> missedStreams() {
        return leastMissed(Report::streams, streamsCarried());
    }

    /** Why it is not more events. */
    Optional<Result> missedRate() {
        return leastMissed(Report::rate, rateCarried());
    }

    URI base() {
        return base;
    }

    Plan plan() {
        return plan;
    }

    List<Result> results() {
        return results;
    }

    Left left() {
        return left;
    }

    End end() {
        return end;
    }

    static double streams(Result result) {
        return result.seen().step().streams();
    }

    static double rate(Result result) {
        return result.seen().step().eventsPerSecond();
    }

    /** At the goal's rate or above; 0 if none were. */
    private double streamsCarried() {
        return carried()
                .filter(one -> rate(one) >= judgedRate())
                .mapToDouble(Report::streams)
                .max()
                .orElse(0);
    }

    private double rateCarried() {
        return carried().mapToDouble(Report::rate).max().orElse(0);
    }

    private Stream<Result> carried() {
        return results.stream().filter(Result::isCarried);
    }

    /** Of those as great, one that is not in doubt comes first. */
    private Optional<Result> leastMissed(ToDoubleFunction<Result> size, double carried) {
        return results.stream()
                .filter(Result::isMissed)
                .filter(one -> size.applyAsDouble(one) > carried)
                .min(Comparator.comparingDouble(size).thenComparing(Result::isInDoubt));
    }

    private double judgedRate() {
        return Math.min(goal.eventsPerSecond(), plan.rateMax());
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
