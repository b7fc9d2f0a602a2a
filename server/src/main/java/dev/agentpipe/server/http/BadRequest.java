package dev.agentpipe.server.http;

import dev.agentpipe.core.event.Violation;
import java.util.List;

/** A request that cannot be understood: 400 {@code invalid_parameter}, with everything that is wrong. */
public final class BadRequest extends RuntimeException {

    private final transient List<Violation> violations;

    /** @param violations at least one; the pointer is a parameter's name, or a JSON Pointer into the body */
    public BadRequest(List<Violation> violations) {
        super(violations.toString(), null, false, false);
        this.violations = List.copyOf(violations);
    }

    public static BadRequest of(String pointer, String detail) {
        return new BadRequest(List.of(new Violation(pointer, detail)));
    }

    List<Violation> violations() {
        return violations;
    }
}
