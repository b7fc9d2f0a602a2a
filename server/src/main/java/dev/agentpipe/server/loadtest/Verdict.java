package dev.agentpipe.server.loadtest;

import java.util.Locale;
import java.util.Optional;

/** One target and what was seen of it, in numbers and for people. */
record Verdict(String name, Outcome outcome, double measured, double target, String text, String targetText) {

    enum Outcome {
        OK("ok"),
        MISSED("MISSED"),
        /** Missed while the load generator itself was held up. */
        IN_DOUBT("IN DOUBT"),
        NOT_TRIED("not tried");

        private final String word;

        Outcome(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    static Verdict atMost(String name, Result judged, double measured, double target, String text, String targetText) {
        Outcome outcome = measured <= target ? Outcome.OK : missed(judged);
        return new Verdict(name, outcome, measured, target, text, "at most " + targetText);
    }

    /**
     * @param missed the least that was tried beyond what is measured; empty if nothing was
     * @param with what else was carried, for people
     */
    static Verdict atLeast(String name, Optional<Result> missed, double measured, double target, String with) {
        Outcome outcome =
                measured >= target ? Outcome.OK : missed.map(Verdict::missed).orElse(Outcome.NOT_TRIED);
        return new Verdict(name, outcome, measured, target, number(measured) + with, "at least " + number(target));
    }

    private static Outcome missed(Result result) {
        if (result.isCut()) {
            return Outcome.NOT_TRIED;
        }
        return result.isInDoubt() ? Outcome.IN_DOUBT : Outcome.MISSED;
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value == Math.rint(value) ? "%,.0f" : "%,.1f", value);
    }
}
