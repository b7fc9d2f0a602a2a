package dev.agentpipe.server.smoke;

import dev.agentpipe.server.smoke.SmokeClient.Answer;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/** All checks, one after the other; each prints its line. To be run once, by one thread. */
public final class Smoke {

    private final PrintWriter out;
    private final URI base;
    private final String key;
    private final SmokeClient client;
    private final SmokeConversation conversation = new SmokeConversation();
    private int passed;
    private int failed;
    private int skipped;

    /**
     * @param base without a slash at its end
     * @param mostEach how long one answer or one event may take
     * @param mostInAll when this is over, whatever still waits has failed
     */
    public Smoke(URI base, String key, Duration mostEach, Duration mostInAll, PrintWriter out) {
        this.base = base;
        this.key = key;
        this.out = out;
        client = new SmokeClient(base, Deadline.of(mostEach, mostInAll));
    }

    /** A check: throws what is wrong, or gives a detail for its line, "" for none. */
    private interface Check {
        String run() throws SmokeFailure, InterruptedException;
    }

    /** Gives whether every check has passed. */
    public boolean run() throws InterruptedException {
        long started = System.nanoTime();
        out.println("Trying " + base + " with the conversation " + conversation.id());
        boolean healthy = check(true, "health", this::health);
        check(healthy, "bridge.test is accepted", this::bridgeTest);
        try (ConversationChecks steps = new ConversationChecks(client, key, conversation)) {
            boolean going = check(healthy, "a stream opens", steps::openStream);
            going = check(going, "events are accepted in any order", steps::sendOutOfOrder);
            going = check(going, "a repeated event is known", steps::repeat);
            going = check(going, "the stream has what was sent", steps::receiveEachOnceInOrder);
            check(going, "a cut stream resumes", steps::resumeAfterCut);
        }
        check(healthy, "a wrong key is refused", this::wrongKey);
        check(healthy, "a malformed event is refused", this::malformedEvent);
        long millis = Duration.ofNanos(System.nanoTime() - started).toMillis();
        out.println(passed + " passed, " + failed + " failed, " + skipped + " skipped, in " + millis + " ms");
        out.flush();
        return failed == 0;
    }

    /** @param possible false if an earlier check that this one builds on did not pass */
    private boolean check(boolean possible, String name, Check check) throws InterruptedException {
        if (!possible) {
            skipped++;
            out.println("skipped  " + name);
            return false;
        }
        try {
            String detail = check.run();
            passed++;
            out.println("ok       " + name + (detail.isEmpty() ? "" : ": " + detail));
            return true;
        } catch (SmokeFailure failure) {
            failed++;
            out.println("FAILED   " + name);
            out.println("           expected: " + failure.expected());
            out.println("           seen:     " + failure.seen());
            return false;
        } finally {
            out.flush();
        }
    }

    private String health() throws SmokeFailure, InterruptedException {
        Answer answer = client.get("/api/health");
        SmokeFailure.unless(
                answer.status() == 200 && Set.of("healthy", "degraded").contains(answer.field("status")),
                "200 with the status healthy or degraded",
                answer);
        return answer.field("status") + ", version " + answer.field("version");
    }

    private String bridgeTest() throws SmokeFailure, InterruptedException {
        Answer answer = client.post(conversation.bridgeTest(), key);
        SmokeFailure.unless(
                answer.status() == 201 && !answer.field("event_id").isEmpty(), "201 with an event_id", answer);
        return "";
    }

    private String wrongKey() throws SmokeFailure, InterruptedException {
        Answer answer = client.post(conversation.bridgeTest(), "ap_live_wrong-" + UUID.randomUUID());
        SmokeFailure.unless(answer.status() == 401, "401", answer);
        return "";
    }

    private String malformedEvent() throws SmokeFailure, InterruptedException {
        Answer answer = client.post(conversation.malformed(), key);
        String pointer = "/data/agent_type";
        boolean named = false;
        for (JsonNode error : answer.json().path("errors")) {
            named |= error.path("pointer").asString("").equals(pointer);
        }
        SmokeFailure.unless(answer.status() == 400 && named, "400 with an error whose pointer is " + pointer, answer);
        return "";
    }
}
