package dev.agentpipe.server.cli;

import dev.agentpipe.server.loadtest.Bench;
import dev.agentpipe.server.loadtest.BenchException;
import dev.agentpipe.server.loadtest.Follow;
import dev.agentpipe.server.loadtest.Plan;
import dev.agentpipe.server.loadtest.Report;
import java.io.PrintWriter;
import java.net.URI;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Loads a running server until it does not keep up. */
@Command(
        name = "bench",
        sortOptions = false,
        description = {
            "Load a running server, and say what it carries.",
            "",
            "ramp: ever more streams at 100 events/s, then ever more events/s, until an answer takes too long, an event or"
                    + " a stream is lost, or the streams fall behind. Targets: 1,000 streams, 100 events/s, p95 200 ms,"
                    + " p99 500 ms, 0.1 %% errors.",
            "steady: 50 streams and 1,000 events a minute all the time. Targets: p95 500 ms, 1 %% errors.",
            ""
        },
        footer = {
            "",
            "It writes to 100 conversations bench-... and leaves them there. Exit codes:",
            "0 all targets met, 1 not all, 2 wrong usage, 3 not to be measured: no answer,",
            "or the key is refused. No host but the URL's is spoken to.",
            "",
            "The key is that of --key-file, else AGENTPIPE_BRIDGE_API_KEY (its first), else",
            "AGENTPIPE_STREAM_API_KEY, else, for a server on this machine, DATA_DIR/api-key.",
            "",
            "Example:",
            "  agentpipe-server bench https://pipe.example --key-file key --duration 5m"
        })
final class BenchCommand implements Callable<Integer> {

    static final int NOT_MEASURED = 3;

    /** The last answers, and the farewells, have deadlines below this. */
    private static final Duration STOP_MAX = Duration.ofSeconds(20);

    enum Scenario {
        RAMP(Duration.ofMinutes(2), Follow.ONE),
        STEADY(Duration.ofMinutes(1), Follow.ALL);

        private final Duration usual;
        private final Follow usualFollow;

        Scenario(Duration usual, Follow usualFollow) {
            this.usual = usual;
            this.usualFollow = usualFollow;
        }
    }

    @Spec
    private CommandSpec spec;

    @Mixin
    private final RemoteServer.Argument server;

    @Option(names = "--scenario", paramLabel = "NAME", description = "ramp (default) or steady.")
    private Scenario scenario = Scenario.RAMP;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = Time.class,
            description = "At most so long: 90s, 5m, 1h (default: 2m for ramp, 1m for steady; at most 1h).")
    private Duration duration;

    @Option(
            names = "--max-rate",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Of ramp: at most so many events/s (default: ${DEFAULT-VALUE}; at most 20000).")
    private int rateMax;

    @Option(
            names = "--max-streams",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Of ramp: at most so many streams (default: ${DEFAULT-VALUE}; at most 10000).")
    private int streamsMax;

    @Option(
            names = "--follow",
            paramLabel = "WHAT",
            description =
                    "Each stream follows one conversation (default of ramp), or all of the run's: every event goes to"
                            + " every stream (default of steady).")
    private Follow follow;

    @Option(names = "--json", description = "Print the result as one JSON object; the progress goes to standard error.")
    private boolean json;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Print this text.")
    private boolean help;

    BenchCommand(Map<String, String> environment) {
        server = new RemoteServer.Argument(environment);
    }

    @Override
    public Integer call() throws InterruptedException {
        Plan plan = plan();
        URI base = server.base();
        String key = server.key();
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        ProgressLine progress = new ProgressLine(json ? err : out, err, Terminal.isThere());
        progress.say(announcement(base, plan));
        Bench bench = new Bench(base, key, plan, progress);
        StopOnSignal signal = new StopOnSignal("bench-stop", bench::stop, STOP_MAX);
        try {
            Report report = bench.run();
            progress.end();
            out.println(json ? report.json() : "\n" + report.text().stripTrailing());
            out.flush();
            return report.isMet() ? Commands.OK : Commands.FAILED;
        } catch (BenchException e) {
            progress.end();
            err.println("agentpipe-server: " + e.getMessage());
            return NOT_MEASURED;
        } finally {
            signal.told();
        }
    }

    private Plan plan() {
        Duration time = duration == null ? scenario.usual : duration;
        within("--duration", time.toSeconds(), 1, Plan.DURATION_CAP.toSeconds());
        within("--max-rate", rateMax, 1, Plan.RATE_CAP);
        within("--max-streams", streamsMax, 1, Plan.STREAMS_CAP);
        Follow what = follow == null ? scenario.usualFollow : follow;
        return scenario == Scenario.RAMP ? Plan.ramp(streamsMax, rateMax, what, time) : Plan.steady(what, time);
    }

    private void within(String name, long value, long min, long max) {
        if (value < min || value > max) {
            throw new ParameterException(
                    spec.commandLine(), "%s is %d, allowed is %d to %d".formatted(name, value, min, max));
        }
    }

    private static String announcement(URI base, Plan plan) {
        return String.format(
                Locale.ROOT,
                "Loading %s with up to %,d streams and %,d events/s for at most %,d s. Ctrl-C ends it and tells what it has.",
                base,
                plan.streamsMax(),
                plan.rateMax(),
                plan.duration().toSeconds());
    }

    static final class Time implements ITypeConverter<Duration> {

        private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,6})([smh]?)");

        @Override
        public Duration convert(String text) {
            Matcher matcher = NUMBER_AND_UNIT.matcher(text);
            if (!matcher.matches()) {
                throw new TypeConversionException("\"" + text + "\" is no time such as 90s, 5m or 1h");
            }
            long number = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofSeconds(number);
            };
        }
    }
}
