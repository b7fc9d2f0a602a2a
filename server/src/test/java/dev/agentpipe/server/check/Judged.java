package dev.agentpipe.server.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.check.Verdict.Status;

/** What is expected of a verdict; {@code saying} is a part of its detail or of its fix. */
final class Judged {

    private Judged() {}

    static void ok(Verdict verdict) {
        assertEquals(Status.OK, verdict.status(), verdict::toString);
    }

    static void ok(Verdict verdict, String saying) {
        is(Status.OK, verdict, saying);
    }

    static void warning(Verdict verdict, String saying) {
        is(Status.WARNING, verdict, saying);
    }

    static void failed(Verdict verdict, String saying) {
        is(Status.FAILED, verdict, saying);
    }

    private static void is(Status status, Verdict verdict, String saying) {
        assertEquals(status, verdict.status(), verdict::toString);
        assertTrue((verdict.detail() + " -> " + verdict.fix()).contains(saying), verdict::toString);
    }
}
