package dev.agentpipe.server.loadtest;

import static dev.agentpipe.server.loadtest.Result.millis;

import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

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
        return results.stream()
                .filter(Result::isCarried)
                .max(Comparator.comparingDouble(Report::rate).thenComparingDouble(Report::streams));
    }

    List<Verdict> verdicts() {
        if (results.isEmpty()) {
            return List.of();
        }
        Measurement judged = judged().seen();
        double streams = greatest(Report::streams, judgedRate());
        double events = greatest(Report::rate, 0);
        List<Verdict> all = new ArrayList<>();
        all.add(millisAtMost("API p95", judged.latency().p95(), goal.p95Millis()));
        if (Double.isFinite(goal.p99Millis())) {
            all.add(millisAtMost("API p99", judged.latency().p99(), goal.p99Millis()));
        }
        all.add(Verdict.atMost(
                "error rate",
                judged.errorShare(),
                goal.errorShare(),
                text("%.2f %% of %,d", 100 * judged.errorShare(), judged.due()),
                text("at most %s %%", 100 * goal.errorShare())));
        all.add(Verdict.atLeast("streams", streams, goal.streams(), isTried(Report::streams, goal.streams())));
        all.add(Verdict.atLeast(
                "events/s", events, goal.eventsPerSecond(), isTried(Report::rate, goal.eventsPerSecond())));
        return all;
    }

    /**
     * Where times and errors are held against the goal: at the goal's rate with the most streams that were carried with it,
     * and if none were, where that was missed.
     */
    Result judged() {
        return results.stream()
                .filter(Result::isCarried)
                .filter(one -> rate(one) == judgedRate())
                .max(Comparator.comparingDouble(Report::streams))
                .orElse(results.get(0));
    }

    /** Why it is not more streams, or more events: the least of the missed steps beyond what is carried. */
    Optional<Result> leastMissed(ToDoubleFunction<Result> size) {
        double carried = greatest(size, 0);
        return results.stream()
                .filter(Result::isMissed)
                .filter(one -> size.applyAsDouble(one) > carried)
                .min(Comparator.comparingDouble(size));
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

    private static Verdict millisAtMost(String name, double measured, double target) {
        return Verdict.atMost(name, measured, target, millis(measured), "at most " + millis(target));
    }

    /** Among the carried steps with at least this rate; 0 if there is none. */
    private double greatest(ToDoubleFunction<Result> size, double rateMin) {
        return results.stream()
                .filter(Result::isCarried)
                .filter(one -> rate(one) >= rateMin)
                .mapToDouble(size)
                .max()
                .orElse(0);
    }

    private boolean isTried(ToDoubleFunction<Result> size, double target) {
        return leastMissed(size).isPresent()
                || results.stream().anyMatch(one -> !one.isCut() && size.applyAsDouble(one) >= target);
    }

    private double judgedRate() {
        return Math.min(goal.eventsPerSecond(), plan.rateMax());
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
