package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import dev.agentpipe.server.bench.load.StreamLoad;
import dev.agentpipe.server.bench.load.StreamPlan;
import java.util.List;

/**
 * What an idle stream costs. The heap is fixed and touched before, so resident memory grows only by what lies outside of
 * it; what the streams hold in the heap is the growth of what a full collection leaves. The sum of both is what a server
 * needs for a stream, however its heap is sized. The sockets' buffers are the kernel's and in none of it.
 */
final class MemoryMeasurements {

    private MemoryMeasurements() {}

    static List<Measurement> all() {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "perStream",
                        "10,000 idle streams: memory of each (heap of 256 MB, touched before)",
                        "kB",
                        1,
                        7),
                Goal.none("heap", "of it heap that a collection leaves", "kB", 1),
                Goal.none("outside", "of it outside of the heap", "kB", 1));
        ServerOptions server = ServerOptions.WARM
                .withJvm("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch")
                .withFreshEachRun();
        return List.of(new Measurement("memory", goals, server, (session, run) -> {
            int count = session.count(10_000);
            ServerProcess process = session.server();
            long heapBefore = process.liveHeapKilobytes();
            long residentBefore = process.residentKilobytes();
            try (StreamLoad streams = session.streams(StreamPlan.all(count))) {
                double heap = (double) (process.liveHeapKilobytes() - heapBefore) / count;
                double outside = (double) (process.residentKilobytes() - residentBefore) / count;
                run.put("perStream", heap + outside);
                run.put("heap", heap);
                run.put("outside", outside);
                run.problems(streams.problems());
            }
        }));
    }
}
