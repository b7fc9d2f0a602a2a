package dev.agentpipe.server.bench.load;

import java.time.Duration;

/**
 * What an ingest load does.
 *
 * @param conversations how many are written to: with as many as there are connections each has its own, with more each
 *     goes through its share of them
 * @param perSecond requests a second, each timed from when it was due; 0: each connection sends as soon as it has its answer
 * @param requestsMax after which it ends before its time; 0: none
 */
public record IngestPlan(
        int connections,
        int conversations,
        Body body,
        int eventsPerRequest,
        double perSecond,
        Duration duration,
        long requestsMax) {

    /** How events are put into a request. */
    public enum Body {
        ONE("application/json", "", "", ""),
        ARRAY("application/json", "[", ",", "]"),
        LINES("application/x-ndjson", "", "\n", "\n");

        final String contentType;
        final String before;
        final String between;
        final String after;

        Body(String contentType, String before, String between, String after) {
            this.contentType = contentType;
            this.before = before;
            this.between = between;
            this.after = after;
        }
    }

    /** One event a request, as fast as they are answered. */
    public static IngestPlan closed(int connections, Duration duration) {
        return new IngestPlan(connections, connections, Body.ONE, 1, 0, duration, 0);
    }

    /** One event a request, at a fixed rate. */
    public static IngestPlan open(int connections, double perSecond, Duration duration) {
        return new IngestPlan(connections, connections, Body.ONE, 1, perSecond, duration, 0);
    }

    public static IngestPlan batches(int connections, Body body, int eventsPerRequest, Duration duration) {
        return new IngestPlan(connections, connections, body, eventsPerRequest, 0, duration, 0);
    }

    public IngestPlan withConversations(int count) {
        return new IngestPlan(connections, count, body, eventsPerRequest, perSecond, duration, requestsMax);
    }

    public IngestPlan withRequestsMax(long count) {
        return new IngestPlan(connections, conversations, body, eventsPerRequest, perSecond, duration, count);
    }
}
