package dev.agentpipe.server.http;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a key may be good for (contract, section 7). */
public enum Scope {
    INGEST,
    UPLOAD,
    READ,
    /** Everything, also what cannot be undone. */
    ADMIN;

    /** As it is written where keys are made. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Scope> of(String label) {
        return Arrays.stream(values())
                .filter(scope -> scope.label().equals(label))
                .findFirst();
    }
}
