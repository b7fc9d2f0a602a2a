package dev.agentpipe.server.smoke;

/** A check saw something else than it expected. */
final class SmokeFailure extends Exception {

    private final String expected;
    private final String seen;

    SmokeFailure(String expected, String seen) {
        super("expected: " + expected + "; seen: " + seen);
        this.expected = expected;
        this.seen = seen;
    }

    static void unless(boolean holds, String expected, Object seen) throws SmokeFailure {
        if (!holds) {
            throw new SmokeFailure(expected, String.valueOf(seen));
        }
    }

    String expected() {
        return expected;
    }

    String seen() {
        return seen;
    }
}
