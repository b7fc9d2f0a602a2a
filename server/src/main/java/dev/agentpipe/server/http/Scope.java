package dev.agentpipe.server.http;

import java.util.Locale;

/** What a key may be good for (contract, section 7). */
public enum Scope {
    INGEST,
    UPLOAD,
    READ,
    /** Everything, also what cannot be undone. */
    ADMIN;

    /** As it is written where keys are made. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
