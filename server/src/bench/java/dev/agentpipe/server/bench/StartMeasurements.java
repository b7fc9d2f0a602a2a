package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.Measurement.ServerOptions;
import java.util.List;
import java.util.Map;

/** How soon a server is there, and what it needs while nothing happens. */
final class StartMeasurements {

    private StartMeasurements() {}

    static List<Measurement> all() {
        List<Goal> goals = List.of(
                Goal.atMost(
                        "start",
                        "start by `bin/agentpipe-server` with an external database, to the first 200 of `/api/health`",
                        "s",
                        2,
                        0.9),
                Goal.none("startPlain", "by `java -jar`", "s", 2),
                Goal.atMost("resident", "resident memory 30 s later, heap of 256 MB at most", "MB", 0, 130));
        Measurement.Step prepare = (session, run) -> {
            try (ServerProcess first = session.launch(Map.of())) {
                first.awaitHealthy(); // has made the tables
                session.awaitLaunchersArchive();
            }
        };
        return List.of(new Measurement("start", goals, ServerOptions.NONE, prepare, (session, run) -> {
            try (ServerProcess plain = session.startPlain()) {
                run.put("startPlain", plain.awaitHealthy());
            }
            try (ServerProcess launched = session.launch(Map.of("JDK_JAVA_OPTIONS", "-Xmx256m"))) {
                run.put("start", launched.awaitHealthy());
                Thread.sleep(session.seconds(30).toMillis());
                run.put("resident", launched.residentKilobytes() / 1024.0);
            }
        }));
    }
}
