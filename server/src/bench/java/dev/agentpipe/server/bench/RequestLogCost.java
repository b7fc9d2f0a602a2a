package dev.agentpipe.server.bench;

import dev.agentpipe.server.bench.load.IngestLoad;
import dev.agentpipe.server.bench.load.IngestPlan;
import dev.agentpipe.server.bench.load.IngestResult;
import dev.agentpipe.server.bench.load.Messages;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/**
 * What the lines of requests cost a server that runs: it loads it with events, in turns with and without their lines, and
 * compares the processor time of its process. Arguments: port, key (also of the scope admin), process id, events a turn, turns.
 */
public final class RequestLogCost {

    private static final double TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK), wherever Linux runs

    private RequestLogCost() {}

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        String key = arguments[1];
        Path stat = Path.of("/proc", arguments[2], "stat");
        int events = Integer.parseInt(arguments[3]);
        int turns = Integer.parseInt(arguments[4]);
        load(port, key, 2 * events);
        double[][] micros = new double[2][turns];
        for (int i = 0; i < 2 * turns; i++) {
            setLevel(port, key, i % 2 == 0 ? "error" : "info");
            double before = processorSeconds(stat);
            load(port, key, events);
            micros[i % 2][i / 2] = (processorSeconds(stat) - before) * 1e6 / events;
        }
        System.out.printf(Locale.ROOT, "without lines: %s%n", Arrays.toString(micros[0]));
        System.out.printf(Locale.ROOT, "with lines:    %s%n", Arrays.toString(micros[1]));
        System.out.printf(
                Locale.ROOT,
                "median: %.1f and %.1f us of the server's processor time an event, least: %.1f and %.1f%n",
                median(micros[0]),
                median(micros[1]),
                Arrays.stream(micros[0]).min().orElseThrow(),
                Arrays.stream(micros[1]).min().orElseThrow());
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static void load(int port, String key, int events) throws Exception {
        IngestPlan plan = IngestPlan.closed(64, Duration.ofMinutes(2)).withRequestsMax(events);
        IngestResult result = IngestLoad.run(port, key, new Messages(), plan);
        if (!result.isComplete()) {
            throw new IOException("not all were taken: " + result.statuses());
        }
    }

    private static void setLevel(int port, String key, String level) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/api/admin/log-level"))
                .header("Authorization", "Bearer " + key)
                .PUT(BodyPublishers.ofString(
                        "{\"logger\":\"dev.agentpipe.requests\",\"level\":\"" + level + "\",\"seconds\":600}"))
                .build();
        int status = HttpClient.newHttpClient()
                .send(request, BodyHandlers.ofString())
                .statusCode();
        if (status != 200) {
            throw new IOException("the level cannot be changed: " + status);
        }
    }

    private static double processorSeconds(Path stat) throws IOException {
        String[] fields = Files.readString(stat).replaceFirst(".*\\) ", "").split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }
}
