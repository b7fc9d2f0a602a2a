package dev.agentpipe.core.event;

import java.util.ArrayList;
import java.util.List;

/** Collects what is wrong with one event, up to a limit. */
final class Violations {

    private final int max;
    private List<Violation> found = List.of();

    Violations(int max) {
        this.max = max;
    }

    void add(String pointer, String detail) {
        if (found.isEmpty()) {
            found = new ArrayList<>();
        }
        if (found.size() < max) {
            found.add(new Violation(pointer, detail));
        }
    }

    boolean isEmpty() {
        return found.isEmpty();
    }

    List<Violation> list() {
        return found;
    }
}
