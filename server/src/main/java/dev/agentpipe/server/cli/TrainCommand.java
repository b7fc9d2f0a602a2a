package dev.agentpipe.server.cli;

import dev.agentpipe.server.AgentPipe;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.Settings.LogFormat;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.smoke.Smoke;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.Callable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Runs a whole server in an empty folder, tries it, and ends. For {@code bin/lib/archive.sh}, whose Java keeps the classes
 * that were loaded meanwhile, so that later starts need not read and verify them again.
 */
@Command(name = "train", hidden = true, description = "Load what a server needs, for an archive of its classes.")
final class TrainCommand implements Callable<Integer> {

    /** Above the minutes for which the start of a PostgreSQL that cannot run is tried, under the 5 of a lock in archive.sh. */
    private static final Duration DEADLINE = Duration.ofMinutes(4);

    /** As of a killed process: it was slow, which says nothing of the next time. */
    private static final int NOT_IN_TIME = 143;

    private static final String KEY = "ap_live_training-0123456789";

    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FOLDER", description = "An empty folder.")
    private Path folder;

    @Override
    public Integer call() throws Exception {
        new Timer("train-deadline", true)
                .schedule(
                        new TimerTask() {
                            @Override
                            public void run() {
                                Runtime.getRuntime().halt(NOT_IN_TIME);
                            }
                        },
                        DEADLINE.toMillis());
        Settings settings = SettingsReader.read(Map.of(
                        "PORT",
                        "0",
                        "METRICS_PORT",
                        "0",
                        "DATA_DIR",
                        folder.toString(),
                        "AGENTPIPE_BRIDGE_API_KEY",
                        KEY))
                .settings();
        for (LogFormat format : LogFormat.values()) {
            LogSetup.apply(new Settings.Logging(settings.logging().level(), format));
            LoggerFactory.getLogger(TrainCommand.class).info("A log line");
        }
        PrintWriter out = spec.commandLine().getOut();
        try (AgentPipe pipe = AgentPipe.start(settings)) {
            out.println(Banner.of(settings, pipe.uri(), pipe.generatedKey()));
            return new Smoke(pipe.uri(), KEY, DEADLINE, DEADLINE, out).run() ? Commands.OK : Commands.FAILED;
        }
    }
}
