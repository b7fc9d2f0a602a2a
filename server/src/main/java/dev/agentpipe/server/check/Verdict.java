package dev.agentpipe.server.check;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What an item's look has come to.
 *
 * @param detail what is, and why that is good or not: a sentence without its stop
 * @param fix a command or a setting; empty if there is nothing to mend
 */
public record Verdict(Status status, String detail, String fix) {

    /** From good to bad. */
    public enum Status {
        SKIPPED,
        OK,
        WARNING,
        FAILED;

        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public Verdict {
        if ((status == Status.WARNING || status == Status.FAILED) == fix.isBlank()) {
            throw new IllegalArgumentException("what is wrong, and only that, has a way to mend it");
        }
    }

    static Verdict ok(String detail) {
        return new Verdict(Status.OK, detail, "");
    }

    static Verdict warning(String detail, String fix) {
        return new Verdict(Status.WARNING, detail, fix);
    }

    static Verdict failed(String detail, String fix) {
        return new Verdict(Status.FAILED, detail, fix);
    }

    /** @param why there is nothing to look at */
    static Verdict skipped(String why) {
        return new Verdict(Status.SKIPPED, why, "");
    }

    /** As bad as the worst of the problems, and all of them in words; this if there are none. */
    Verdict or(List<Verdict> problems) {
        if (problems.isEmpty()) {
            return this;
        }
        Status worst =
                problems.stream().map(Verdict::status).max(Status::compareTo).orElseThrow();
        return new Verdict(
                worst,
                problems.stream().map(Verdict::detail).distinct().collect(Collectors.joining("; ")),
                problems.stream().map(Verdict::fix).distinct().collect(Collectors.joining("; ")));
    }
}
