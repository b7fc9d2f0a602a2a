package dev.agentpipe.core.log;

import dev.agentpipe.core.event.Event;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.MDC;

/** Events that somebody wants appended, and who that is. Answered once, by whoever comes first: writer or deadline. */
final class Submission {

    static final String REQUEST_ID = "requestId";

    final List<Event> events;
    /** Of all payloads. */
    final long bytes;

    final long sinceNanos;
    final Executor replyOn;
    /** It goes alone, and nothing of it stays. */
    final boolean isRehearsal;

    /**
     * What the caller's log lines are about, for what is logged about its events later; null if that is unknown. Not a copy of
     * all that they know: a copy is dear, and so is the caller's next change after it.
     */
    final String requestId = MDC.get(REQUEST_ID);

    private final Consumer<CommitOutcome> reply;
    private final AtomicBoolean answered = new AtomicBoolean();

    Submission(
            List<Event> events, long sinceNanos, Executor replyOn, Consumer<CommitOutcome> reply, boolean isRehearsal) {
        this.events = events;
        this.isRehearsal = isRehearsal;
        this.bytes = events.stream()
                .mapToLong(event -> event.envelope().payload().length)
                .sum();
        this.sinceNanos = sinceNanos;
        this.replyOn = replyOn;
        this.reply = reply;
    }

    boolean isAnswered() {
        return answered.get();
    }

    /** Whether this is the answer; else there was one before. */
    boolean answer(CommitOutcome outcome) {
        if (!answered.compareAndSet(false, true)) {
            return false;
        }
        reply.accept(outcome);
        return true;
    }
}
