package dev.agentpipe.server.http;

/** Who may call. Its methods are asked on I/O threads, for each request: they never block. */
public interface Callers {

    /** What a key is worth. */
    sealed interface Known {
        record Good(Caller caller) implements Known {}

        /**
         * Answered alike, whatever it is; the operator learns it.
         *
         * @param why missing, malformed, unknown, expired or revoked
         * @param keyId null for one that never was a key
         */
        record Bad(String why, String keyId) implements Known {
            static final Bad MISSING = new Bad("missing", null);
            static final Bad MALFORMED = new Bad("malformed", null);
            public static final Bad UNKNOWN = new Bad("unknown", null);

            boolean isMissing() {
                return this == MISSING;
            }
        }
    }

    Known ofKey(String key);

    /** Whether reading takes no key. */
    boolean isReadingOpen();
}
