package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import dev.agentpipe.server.bench.load.BadReaders;
import dev.agentpipe.server.bench.load.Deliveries;
import dev.agentpipe.server.bench.load.IngestPlan;
import dev.agentpipe.server.bench.load.IngestResult;
import dev.agentpipe.server.bench.load.Messages;
import dev.agentpipe.server.bench.load.StreamLoad;
import dev.agentpipe.server.bench.load.StreamPlan;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** How much reaches the readers, and how late. */
final class StreamMeasurements {

    /** All of the heap is there from the beginning, so what resident memory grows by is not heap. */
    static final String[] FIXED_HEAP_512 = {"-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch"};

    private StreamMeasurements() {}

    static List<Measurement> all() {
        return List.of(fanOut(), lastOf(1_000, 8), lastOf(5_000, 40), filtered(), beside(), badReaders());
    }

    private static Measurement fanOut() {
        List<Goal> goals = List.of(
                Goal.atLeast(
                        "perSecond",
                        "deliveries into 1,000 streams while 64 connections ingest as fast as they can",
                        "/s",
                        0,
                        1_000_000),
                Goal.none("ingestPerSecond", "ingest meanwhile", "events/s", 0),
                Goal.none("p99", "from sending to reading, p99", "ms", 0));
        return new Measurement("fan-out", goals, ServerOptions.WARM, (session, run) -> {
            int count = session.count(1_000);
            Optional<CTools> tools = session.tools();
            if (tools.isPresent()) {
                fanOutWith(tools.get(), session, run, count);
                return;
            }
            try (StreamLoad streams = session.streams(StreamPlan.all(count))) {
                Deliveries counted = streams.count();
                IngestResult ingest = session.ingest(IngestPlan.closed(64, session.seconds(8)));
                finish(run, streams, counted, ingest, count);
                run.put("perSecond", counted.perSecond());
                run.put("ingestPerSecond", ingest.eventsPerSecond());
                run.put("p99", counted.delayMillis(99));
            }
        });
    }

    private static void fanOutWith(CTools tools, Session session, Run run, int count) throws Exception {
        Process streams = tools.streams(session.server(), count, Duration.ofSeconds(60));
        JsonNode ingest = tools.ingest(session.server(), 64, 0, session.seconds(8));
        JsonNode read = CTools.result(streams, Duration.ofSeconds(90));
        IngestMeasurements.check(run, ingest);
        if (read.get("events").asLong() != ingest.get("ok").asLong() * count
                || read.get("disconnects").asLong() > 0) {
            run.problem("ssefan: " + read + " of " + ingest.get("ok") + " events");
        }
        run.put("perSecond", read.get("deliveries_per_second").asDouble());
        run.put("ingestPerSecond", ingest.get("ok_per_second").asDouble());
        run.put("p99", read.at("/latency_ms/p99").asDouble());
    }

    /** Waits until all has arrived, and looks whether it has: each event at each of so many streams, once, in order. */
    private static void finish(
            Run run, StreamLoad streams, Deliveries counted, IngestResult ingest, int readersPerEvent)
            throws InterruptedException {
        IngestMeasurements.check(run, ingest);
        streams.awaitDeliveries(counted, ingest.acknowledged() * readersPerEvent, Session.PATIENCE);
        streams.stopCounting();
        long incomplete = counted.incomplete(ingest.firstEvent(), ingest.events(), readersPerEvent);
        if (incomplete > 0) {
            run.problem(incomplete + " of " + ingest.events() + " events did not reach all their streams");
        }
        run.problems(streams.problems());
    }

    private static Measurement lastOf(int streamCount, double goalMillis) {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "lastP50",
                        String.format(
                                Locale.ROOT,
                                "10 events/s to %,d streams, from sending until the last stream has it, p50",
                                streamCount),
                        "ms",
                        1,
                        goalMillis),
                Goal.none("lastP99", "p99", "ms", 1),
                Goal.none("allP50", "all streams, p50", "ms", 1),
                Goal.none("allP99", "all streams, p99", "ms", 1));
        return new Measurement("last-of-" + streamCount, goals, ServerOptions.WARM, (session, run) -> {
            int count = session.count(streamCount);
            try (StreamLoad streams = session.streams(StreamPlan.all(count))) {
                Deliveries counted = streams.count();
                IngestResult ingest = session.ingest(IngestPlan.open(16, 10, session.seconds(10)));
                finish(run, streams, counted, ingest, count);
                run.put("lastP50", counted.lastOfMillis(count, 50));
                run.put("lastP99", counted.lastOfMillis(count, 99));
                run.put("allP50", counted.delayMillis(50));
                run.put("allP99", counted.delayMillis(99));
            }
        });
    }

    private static Measurement filtered() {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "p99",
                        "10,000 streams of one conversation each, 1,000 events/s to all 10,000, from sending to reading, p99",
                        "ms",
                        1,
                        100),
                Goal.none("p50", "p50", "ms", 1));
        return new Measurement("filtered", goals, ServerOptions.WARM, (session, run) -> {
            int count = session.count(10_000);
            try (StreamLoad streams = session.streams(StreamPlan.ofOneEach(count))) {
                Deliveries counted = streams.count();
                IngestPlan plan = IngestPlan.open(64, session.perSecond(1_000), session.seconds(10))
                        .withConversations(count);
                finish(run, streams, counted, session.ingest(plan), 1);
                run.put("p99", counted.delayMillis(99));
                run.put("p50", counted.delayMillis(50));
            }
        });
    }

    private static Measurement beside() {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "ratio",
                        "ingest at 1,000/s while 5,000 streams of one conversation are written to 10 times a second:"
                                + " its p50 against that without streams",
                        "times",
                        2,
                        2),
                Goal.none("p50", "p50 with streams", "ms", 2),
                Goal.none("p50Alone", "p50 without", "ms", 2));
        return new Measurement("beside-streams", goals, ServerOptions.WARM, (session, run) -> {
            int count = session.count(5_000);
            IngestPlan plan = IngestPlan.open(64, session.perSecond(1_000), session.seconds(10));
            Messages others = new Messages();
            IngestResult alone = session.ingest(plan, others);
            try (StreamLoad streams = session.streams(StreamPlan.ofConversation(count, 0))) {
                Deliveries counted = streams.count();
                IngestPlan watched = IngestPlan.open(1, 10, session.seconds(10));
                Beside<IngestResult> beside = Beside.start(() -> session.ingest(watched));
                IngestResult result = session.ingest(plan, others.copy());
                finish(run, streams, counted, beside.await(), count);
                IngestMeasurements.check(run, result);
                run.put("p50", result.latencyMillis(50));
            }
            IngestMeasurements.check(run, alone);
            run.put("p50Alone", alone.latencyMillis(50));
            run.put("ratio", run.value("p50") / run.value("p50Alone"));
        });
    }

    private static Measurement badReaders() {
        List<Goal> goals = List.of(
                Goal.none(
                        "p99",
                        "100 events/s to 900 streams beside 100 bad readers (stop; a byte a second; reset; no request),"
                                + " from sending to reading, p99",
                        "ms",
                        1),
                Goal.none("p99Alone", "p99 without bad readers", "ms", 1),
                Goal.none("p50", "p50 with bad readers", "ms", 1),
                Goal.none("p50Alone", "p50 without", "ms", 1),
                Goal.none("grown", "resident memory grown by (fixed heap of 512 MB)", "MB", 1),
                Goal.none("disconnected", "of 25 that have stopped, disconnected after 20 s", "", 0));
        ServerOptions server = ServerOptions.WARM.withJvm(FIXED_HEAP_512).withFreshEachRun();
        return new Measurement("bad-readers", goals, server, (session, run) -> {
            int count = session.count(900);
            try (StreamLoad streams = session.streams(StreamPlan.all(count))) {
                Deliveries alone = streams.count();
                IngestResult first = session.ingest(IngestPlan.open(16, 100, session.seconds(10)));
                finish(run, streams, alone, first, count);
                long residentBefore = session.server().residentKilobytes();
                try (BadReaders bad = new BadReaders(session.port(), session.count(100))) {
                    Deliveries counted = streams.count();
                    IngestResult second = session.ingest(IngestPlan.open(16, 100, session.seconds(20)));
                    finish(run, streams, counted, second, count);
                    run.put("p99", counted.delayMillis(99));
                    run.put("p50", counted.delayMillis(50));
                    run.put("grown", (session.server().residentKilobytes() - residentBefore) / 1024.0);
                    run.put("disconnected", bad.disconnected());
                }
                run.put("p99Alone", alone.delayMillis(99));
                run.put("p50Alone", alone.delayMillis(50));
            }
        });
    }
}
