package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import dev.agentpipe.server.bench.load.Deliveries;
import dev.agentpipe.server.bench.load.IngestPlan;
import dev.agentpipe.server.bench.load.IngestPlan.Body;
import dev.agentpipe.server.bench.load.IngestResult;
import dev.agentpipe.server.bench.load.Messages;
import dev.agentpipe.server.bench.load.Resume;
import dev.agentpipe.server.bench.load.StreamLoad;
import dev.agentpipe.server.bench.load.StreamPlan;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What it costs to come back. */
final class ReplayMeasurements {

    private static final int REQUESTS = 2_000;
    private static final int CONVERSATIONS = 1_000;
    private static final int RESUMES = 30;
    private static final Duration STORM_MAX = Duration.ofMinutes(5);

    private ReplayMeasurements() {}

    static List<Measurement> all() {
        return List.of(resume(), storm());
    }

    private static Measurement resume() {
        List<Goal> goals = List.of(
                Goal.none(
                        "near",
                        "resuming 100 events behind the head of a log of 1,000,000: from connecting to the first event",
                        "ms",
                        1),
                Goal.none("far", "40,000 events behind it", "ms", 1),
                Goal.none("filtered", "40,000 events behind it, a conversation that has only the newest ten", "ms", 1));
        Measurement.Step fill = (session, run) -> IngestMeasurements.check(
                run,
                session.ingest(new IngestPlan(
                        8, CONVERSATIONS, Body.ARRAY, session.count(500), 0, Duration.ofMinutes(5), REQUESTS)));
        return new Measurement("resume", goals, ServerOptions.WARM, fill, (session, run) -> {
            Messages rare = new Messages(); // of a conversation that has nothing but the newest ten events
            IngestMeasurements.check(
                    run,
                    session.ingest(new IngestPlan(1, 1, Body.ARRAY, 10, 0, Duration.ofSeconds(10), 1), rare.copy()));
            String head = head(session);
            run.put("near", resumes(session, session.messages(), before(head, session.count(100)), -1));
            run.put("far", resumes(session, session.messages(), before(head, session.count(40_000)), -1));
            run.put("filtered", resumes(session, rare, before(head, session.count(40_000)), 0));
        });
    }

    private static String head(Session session) throws IOException, InterruptedException {
        try (StreamLoad stream = session.streams(StreamPlan.all(1))) {
            return stream.firstId();
        }
    }

    private static String before(String id, long events) {
        int dash = id.lastIndexOf('-');
        return id.substring(0, dash + 1) + (Long.parseLong(id.substring(dash + 1)) - events);
    }

    private static double resumes(Session session, Messages messages, String id, int conversation) throws IOException {
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < RESUMES; i++) {
            millis.add(Resume.firstEventMillis(session.port(), messages, id, conversation));
        }
        return Report.median(millis);
    }

    private static Measurement storm() {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "liveP99",
                        "5,000 clients come back at once, 10,000 events behind: what 100 live streams see meanwhile"
                                + " (10 events/s), p99",
                        "ms",
                        0,
                        250),
                Goal.none("caughtUp", "until all are caught up", "s", 1),
                Goal.none("grown", "resident memory at most grown by (fixed heap of 512 MB)", "MB", 1));
        ServerOptions server =
                ServerOptions.WARM.withJvm(StreamMeasurements.FIXED_HEAP_512).withFreshEachRun();
        return new Measurement("storm", goals, server, (session, run) -> {
            int behind = session.count(10_000);
            int clients = session.count(5_000);
            String id = head(session);
            IngestPlan missed =
                    new IngestPlan(4, 4, Body.ARRAY, 100, 0, Duration.ofMinutes(1), Math.max(1, behind / 100));
            IngestMeasurements.check(run, session.ingest(missed));
            long residentBefore = session.server().residentKilobytes();
            try (StreamLoad live = session.streams(StreamPlan.all(session.count(100)));
                    PeakMemory peak = new PeakMemory(session.server())) {
                Deliveries counted = live.count();
                Beside<IngestResult> trickle = Beside.start(() -> session.ingest(
                        IngestPlan.open(1, 10, STORM_MAX), session.messages().copy()));
                long start = System.nanoTime();
                try (StreamLoad back = StreamLoad.start(
                        session.port(),
                        session.messages(),
                        StreamPlan.all(clients).after(id),
                        behind)) {
                    if (!back.awaitEvents(STORM_MAX)) {
                        run.problem("not all were caught up after " + STORM_MAX);
                    }
                    run.put("caughtUp", (System.nanoTime() - start) / 1e9);
                    run.problems(back.problems());
                }
                IngestMeasurements.check(run, trickle.stop());
                live.stopCounting();
                run.put("liveP99", counted.delayMillis(99));
                run.put("grown", (peak.kilobytes() - residentBefore) / 1024.0);
                run.problems(live.problems());
            }
        });
    }
}
