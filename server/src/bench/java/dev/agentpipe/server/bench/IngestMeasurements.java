package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import dev.agentpipe.server.bench.load.IngestPlan;
import dev.agentpipe.server.bench.load.IngestPlan.Body;
import dev.agentpipe.server.bench.load.IngestResult;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** How many events are taken in, and how soon they are durable. */
final class IngestMeasurements {

    private IngestMeasurements() {}

    static List<Measurement> all() {
        return List.of(
                ingest(),
                latency(1_000, 0.8),
                latency(5_000, 1.5),
                batches("arrays", Body.ARRAY),
                batches("ndjson", Body.LINES));
    }

    private static Measurement ingest() {
        List<Goal> goals = List.of(
                Goal.atLeast(
                        "perSecond",
                        "durable ingest, 256 connections, one event a request, each waits for its answer",
                        "events/s",
                        0,
                        12_000),
                Goal.none("p50", "its latency at that load, p50", "ms", 1),
                Goal.none("p99", "p99", "ms", 1));
        return new Measurement("ingest", goals, ServerOptions.WARM, (session, run) -> {
            Optional<CTools> tools = session.tools();
            if (tools.isPresent()) {
                put(run, tools.get().ingest(session.server(), 256, 0, session.seconds(10)));
            } else {
                put(run, session.ingest(IngestPlan.closed(256, session.seconds(10))));
            }
        });
    }

    private static Measurement latency(int perSecond, double goalMillis) {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "p50",
                        String.format(
                                Locale.ROOT,
                                "ingest at %,d/s over 64 connections, timed from when a request was due, p50",
                                perSecond),
                        "ms",
                        2,
                        goalMillis),
                Goal.none("p99", "p99", "ms", 1));
        return new Measurement("latency-" + perSecond, goals, ServerOptions.WARM, (session, run) -> {
            double rate = session.perSecond(perSecond);
            Optional<CTools> tools = session.tools();
            if (tools.isPresent()) {
                put(run, tools.get().ingest(session.server(), 64, rate, session.seconds(10)));
            } else {
                put(run, session.ingest(IngestPlan.open(64, rate, session.seconds(10))));
            }
        });
    }

    private static Measurement batches(String name, Body body) {
        List<Goal> goals = List.of(
                Goal.atLeast(
                        "perSecond",
                        "ingest in " + (body == Body.ARRAY ? "arrays" : "NDJSON") + " of 100, 16 connections",
                        "events/s",
                        0,
                        20_000),
                Goal.none("p50", "latency of a request, p50", "ms", 1));
        return new Measurement(
                name,
                goals,
                ServerOptions.WARM,
                (session, run) -> put(run, session.ingest(IngestPlan.batches(16, body, 100, session.seconds(10)))));
    }

    static void put(Run run, IngestResult result) {
        check(run, result);
        run.put("perSecond", result.eventsPerSecond());
        run.put("p50", result.latencyMillis(50));
        run.put("p99", result.latencyMillis(99));
    }

    static void check(Run run, IngestResult result) {
        if (!result.isComplete()) {
            run.problem(result.acknowledged() + " of " + result.events() + " events acknowledged, " + result.failures()
                    + " failures, statuses " + result.statuses());
        }
    }

    private static void put(Run run, JsonNode result) {
        check(run, result);
        run.put("perSecond", result.get("ok_per_second").asDouble());
        run.put("p50", result.at("/latency_ms/p50").asDouble());
        run.put("p99", result.at("/latency_ms/p99").asDouble());
    }

    static void check(Run run, JsonNode result) {
        if (result.get("ok").asLong() != result.get("requests").asLong()
                || result.get("unsent").asLong() > 0) {
            run.problem("ingestload: " + result);
        }
    }
}
