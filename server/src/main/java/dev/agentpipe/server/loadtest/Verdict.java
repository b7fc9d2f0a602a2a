package dev.agentpipe.server.loadtest;

import java.util.Locale;

/** One target and what was seen of it, in numbers and for people. */
record Verdict(String name, Outcome outcome, double measured, double target, String text, String targetText) {

    enum Outcome {
        OK("ok"),
        MISSED("MISSED"),
        NOT_TRIED("not tried");

        private final String word;

        Outcome(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    static Verdict atMost(String name, double measured, double target, String text, String targetText) {
        Outcome outcome = measured <= target ? Outcome.OK : Outcome.MISSED;
        return new Verdict(name, outcome, measured, target, text, targetText);
    }

    /** @param isTried whether so much was tried */
    static Verdict atLeast(String name, double measured, double target, boolean isTried) {
        Outcome outcome = measured >= target ? Outcome.OK : isTried ? Outcome.MISSED : Outcome.NOT_TRIED;
        return new Verdict(name, outcome, measured, target, number(measured), "at least " + number(target));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value == Math.rint(value) ? "%,.0f" : "%,.1f", value);
    }
}
