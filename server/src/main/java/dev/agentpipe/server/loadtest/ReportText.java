package dev.agentpipe.server.loadtest;

import static dev.agentpipe.server.loadtest.Result.millis;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** A report for people. */
final class ReportText {

    private static final Set<String> THIS_MACHINE = Set.of("localhost", "127.0.0.1", "[::1]");

    private final Report report;
    private final StringBuilder out = new StringBuilder();

    ReportText(Report report) {
        this.report = report;
        if (report.results().isEmpty()) {
            line("Stopped before the first step was over; there is nothing to report.");
        } else {
            capacity();
            limits();
            verdicts();
        }
        left();
    }

    @Override
    public String toString() {
        return out.toString();
    }

    private void capacity() {
        Optional<Result> best = report.greatestCarried();
        if (best.isEmpty()) {
            boolean isTried = report.results().stream().anyMatch(Result::isMissed);
            line(isTried ? "No load that was tried is carried as asked." : "No step was over.");
            return;
        }
        Measurement seen = best.get().seen();
        Percentiles delay = seen.streams().delay();
        line(
                "Carried: %,d streams (%s) and %,.1f events/s at the same time",
                seen.step().streams(),
                report.plan().follow() == Follow.ALL ? "each has every event" : "each follows one conversation",
                seen.step().eventsPerSecond());
        line(
                "  ingest     p50 %s, p95 %s, p99 %s; %.2f %% errors",
                millis(seen.latency().p50()),
                millis(seen.latency().p95()),
                millis(seen.latency().p99()),
                100 * seen.errorShare());
        line(
                "  delivery   p50 %s, p95 %s, p99 %s after an event was due; %,.0f deliveries/s",
                millis(delay.p50()), millis(delay.p95()), millis(delay.p99()), delay.count() / seen.seconds());
    }

    private void limits() {
        if (report.plan().isRamp()) {
            Optional<Result> streams = report.missedStreams();
            Optional<Result> rate = report.missedRate();
            streams.ifPresent(this::missed);
            rate.filter(one -> !streams.equals(rate)).ifPresent(this::missed);
        }
        switch (report.end()) {
            case ALL_TRIED -> {
                if (report.plan().isRamp() && report.results().stream().noneMatch(Result::isMissed)) {
                    line("More was not tried: --max-streams, --max-rate.");
                }
            }
            case TIME_OVER -> line("The time was over before all was tried: --duration.");
            case NOTHING_STORED -> line("Ended early: the server did not store an event any more.");
            case STOPPED -> line("Stopped before all was tried.");
        }
    }

    private void missed(Result result) {
        line("Not carried: %s, since %s", load(result.seen().step()), result.why());
        if (result.isInDoubt()) {
            line("  The load generator itself was held up then, so the server may carry more:");
            line("  %s.", result.seen().client());
        }
        if (result.seen().client().isMachineFull()
                && THIS_MACHINE.contains(report.base().getHost())) {
            line("  This machine's processors were all busy; the server has them to share with the load generator.");
        }
        explain(result);
    }

    private void explain(Result result) {
        Set<String> events = result.seen().failures().keySet();
        Set<String> streams = result.seen().streams().failures().keySet();
        if (events.stream().anyMatch(why -> why.startsWith("429"))) {
            line("  429 is a rate limit, of the server's settings or of a proxy: it says nothing of its speed.");
            line("  For the time of the test, start the server with RATE_LIMIT_MAX_REQUESTS=0.");
        }
        if (events.stream().anyMatch(why -> why.startsWith("503"))) {
            line("  503 is the server's word for: not now, I could not store it in time.");
        }
        if (streams.contains("overloaded")) {
            line(
                    "  \"overloaded\": the server has as many streams as SSE_MAX_CONNECTIONS allows, or this machine as many");
            line("  as RATE_LIMIT_STREAMS allows one address, or the server is stopping.");
        }
    }

    private void verdicts() {
        Measurement judged = report.judged().seen();
        line("");
        line("Targets; times and errors at %s:", load(judged.step()));
        for (Verdict one : report.verdicts()) {
            line("  %-9s  %-10s  %s (target %s)", one.outcome().word(), one.name(), one.text(), one.targetText());
        }
    }

    private static String load(Step step) {
        return String.format(Locale.ROOT, "%,d streams, %,.1f events/s", step.streams(), step.eventsPerSecond());
    }

    private void left() {
        Report.Left left = report.left();
        line("");
        line(
                "Left in the deployment, which cannot delete them yet: %,d conversations, %s to %s, with %,d messages.",
                left.conversations(), left.firstConversation(), left.lastConversation(), left.messages());
    }

    private void line(String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
