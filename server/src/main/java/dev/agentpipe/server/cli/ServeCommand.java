package dev.agentpipe.server.cli;

import dev.agentpipe.server.AgentPipe;
import dev.agentpipe.server.Settings;
import dev.agentpipe.server.SettingsException;
import dev.agentpipe.server.SettingsReader;
import dev.agentpipe.server.Version;
import dev.agentpipe.server.systemd.Systemd;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;

/** Runs the server until the process is told to end. */
@Command(name = ServeCommand.NAME, description = "Run the server until it is told to end (SIGTERM, or Ctrl-C).")
final class ServeCommand implements Callable<Integer> {

    static final String NAME = "serve";

    private final Map<String, String> environment;
    private final PrintWriter out = new PrintWriter(System.out, true);
    private final PrintWriter err = new PrintWriter(System.err, true);

    ServeCommand(Map<String, String> environment) {
        this.environment = environment;
    }

    @Override
    public Integer call() throws InterruptedException {
        SettingsReader.Result read;
        try {
            read = SettingsReader.read(environment);
        } catch (SettingsException e) {
            return EnvironmentOption.tell(e, err);
        }
        Settings settings = read.settings();
        Runnable lastLines = LogSetup.serve(settings);
        // Not a constant of the class: nothing may log, and so configure logback by its defaults, before LogSetup has.
        Logger log = LoggerFactory.getLogger(ServeCommand.class);
        SettingsLine.log(log, settings, environment);

        Shutdown shutdown = new Shutdown(lastLines);
        shutdown.install();
        AgentPipe pipe;
        try {
            pipe = AgentPipe.start(settings);
        } catch (Exception | Error e) { // an Error, too: the library that unpacks PostgreSQL throws them on a full disk
            tellFailure(log, settings, StartFailure.line(e), e);
            shutdown.notStarted();
            return Commands.FAILED;
        }
        Systemd systemd = Systemd.of(environment);
        shutdown.started(() -> {
            systemd.stopping();
            pipe.close();
        });
        boolean text = settings.logging().format() == Settings.LogFormat.TEXT;
        boolean shown = text && !environment.containsKey("JOURNAL_STREAM"); // systemd keeps what is printed
        if (text) {
            out.println(Banner.of(settings, pipe.uri(), shown ? pipe.generatedKey() : Optional.empty()));
        } else {
            log.info("AgentPipe Streaming is ready at {} (version {})", pipe.uri(), Version.current());
        }
        if (!shown && pipe.generatedKey().isPresent()) {
            log.info("An API key was generated and is kept in {}", Banner.keyFile(settings));
        }
        systemd.ready(pipe::silentThreads, pipe::status);
        new CountDownLatch(1).await();
        return Commands.OK;
    }

    /** Where logs are JSON on standard output, whoever collects them must see the failure too. */
    private void tellFailure(Logger log, Settings settings, String line, Throwable e) {
        if (settings.logging().format() == Settings.LogFormat.JSON) {
            log.error("Cannot start: {}", line);
        }
        err.println("agentpipe-server: cannot start: " + line);
        log.debug("The failure in full", e);
    }
}
