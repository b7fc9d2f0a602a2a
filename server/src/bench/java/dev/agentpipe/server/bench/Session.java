package dev.agentpipe.server.bench;

import dev.agentpipe.db.local.DurablePostgres;
import dev.agentpipe.server.bench.Machine.Ticks;
import dev.agentpipe.server.bench.Measurement.ServerOptions;
import dev.agentpipe.server.bench.load.IngestLoad;
import dev.agentpipe.server.bench.load.IngestPlan;
import dev.agentpipe.server.bench.load.IngestResult;
import dev.agentpipe.server.bench.load.Messages;
import dev.agentpipe.server.bench.load.StreamLoad;
import dev.agentpipe.server.bench.load.StreamPlan;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Does the measurements: a temporary folder, a PostgreSQL in it, and for each measurement a fresh server with an empty
 * database. What a measurement needs to do its work, it asks here.
 *
 * <p>Confined to the thread that measures, but for {@link #end}, which also comes when the process is told to end.
 */
final class Session implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration STOP_MAX = Duration.ofSeconds(20);
    private static final int QUICK_DIVISOR = 100;

    /**
     * What a session was told.
     *
     * @param parent where its folder is made: on the disk that is to be measured
     * @param javaHome the Java of the server
     * @param program the server's program for that Java: {@code -jar} and a file, or a class path and a class
     * @param launcher the script that starts it; empty where there is none to be measured
     * @param tools where {@code ingestload} and {@code ssefan} are
     * @param runs of each measurement
     * @param isQuick a hundredth of the load for a second: proves that all works, and measures nothing
     */
    record Options(
            Path parent,
            Path javaHome,
            List<String> program,
            Optional<Path> launcher,
            Optional<Path> tools,
            int runs,
            boolean isQuick) {}

    private final Options options;
    private final Progress progress;
    private final Path folder;
    private final Optional<CTools> tools;

    // Replaced for each measurement.
    private String databaseUrl;
    private Messages messages;
    private String client;
    private ServerProcess server;

    // Set by start(), before anything is measured.
    private DurablePostgres postgres;

    // Guarded by this.
    private final List<Process> started = new ArrayList<>();
    private boolean isClosed;

    Session(Options options, Progress progress) throws IOException {
        this.options = options;
        this.progress = progress;
        this.folder = Files.createTempDirectory(options.parent(), "agentpipe-bench-");
        this.tools = options.tools().isPresent()
                ? Optional.of(new CTools(options.tools().get(), folder, this::remember))
                : Optional.empty();
    }

    /** Starts PostgreSQL. Apart from the constructor, so that somebody can already end it. */
    synchronized Session start() {
        progress.say("starting PostgreSQL in " + folder);
        postgres = new DurablePostgres(folder.resolve("postgres"));
        return this;
    }

    /**
     * What goes wrong is a problem of a run: the next measurement may work.
     *
     * @throws IllegalStateException if this session was ended meanwhile
     */
    Report.Entry measure(Measurement measurement) {
        List<Run> runs = new ArrayList<>();
        client = "Java";
        try {
            for (int i = 1; i <= options.runs(); i++) {
                if (i == 1 || measurement.server().freshEachRun()) {
                    replaceServer(measurement);
                }
                progress.say(measurement.name() + ", run " + i + " of " + options.runs());
                runs.add(run(measurement));
            }
            endServer();
        } catch (Exception e) {
            if (isEnded()) {
                throw new IllegalStateException("told to end", e);
            }
            progress.warn(measurement.name() + " failed: " + e);
            Run failed = new Run();
            failed.problem("failed: " + e.getMessage());
            runs.add(failed);
        }
        return new Report.Entry(measurement, client, runs);
    }

    private synchronized boolean isEnded() {
        return isClosed;
    }

    private void replaceServer(Measurement measurement) throws Exception {
        endServer();
        messages = new Messages();
        databaseUrl = postgres.newDatabase();
        if (measurement.server().isStarted()) {
            progress.say(measurement.name() + ", starting a server");
            server = start(measurement.server());
            server.awaitHealthy();
            if (measurement.server().warmUp()) {
                progress.say(measurement.name() + ", warming up");
                warmUp();
            }
        }
        progress.say(measurement.name() + ", preparing");
        Run preparation = new Run();
        measurement.preparation().run(this, preparation);
        if (!preparation.problems().isEmpty()) {
            throw new IOException("the preparation failed: " + preparation.problems());
        }
        postgres.checkpoint();
    }

    private ServerProcess start(ServerOptions wanted) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(options.javaHome().resolve("bin/java").toString());
        command.addAll(wanted.jvm());
        command.addAll(options.program());
        return start(command, wanted.environment());
    }

    /** Nothing is started any more once all that was started has been ended. */
    private synchronized ServerProcess start(List<String> command, Map<String, String> environment) throws IOException {
        if (isEnded()) {
            throw new IOException("told to end");
        }
        return new ServerProcess(command, options.javaHome(), databaseUrl, environment, folder, this::remember);
    }

    /** To be ended with this session, if it is not before. */
    private synchronized void remember(Process process) {
        started.removeIf(one -> !one.isAlive());
        started.add(process);
    }

    /** All paths of the load, until the compiler has seen them often. */
    private void warmUp() throws IOException, InterruptedException {
        try (StreamLoad streams = StreamLoad.start(port(), messages, StreamPlan.all(count(200)))) {
            streams.awaitGreetings(PATIENCE);
            ingest(IngestPlan.closed(64, seconds(6)));
        }
        ingest(IngestPlan.closed(256, seconds(6)));
    }

    private Run run(Measurement measurement) throws Exception {
        Run run = new Run();
        List<Long> roots = List.of(ProcessHandle.current().pid(), postgres.pid());
        run.put("syncedWriteMillis", Machine.syncedWriteMillis(folder));
        Ticks before = Ticks.now(roots);
        measurement.step().run(this, run);
        run.put("foreignCpuPercent", Ticks.now(roots).foreignPercentSince(before));
        return run;
    }

    private void endServer() throws SQLException {
        if (server != null) {
            server.close();
            server = null;
        }
        if (databaseUrl != null) {
            postgres.drop(databaseUrl);
            databaseUrl = null;
        }
    }

    /** Begins to start the launcher's server on the measurement's database; the caller ends it. */
    ServerProcess launch(Map<String, String> environment) throws IOException {
        Path launcher = options.launcher().orElseThrow(() -> new IOException("there is no launcher to be measured"));
        Map<String, String> all = new HashMap<>(environment);
        // The launcher takes the newest Java that it finds: it shall find this one alone.
        all.put("JAVA_HOME", options.javaHome().toString());
        all.put("PATH", options.javaHome().resolve("bin") + ":" + System.getenv("PATH"));
        all.put("AGENTPIPE_JVM_DIR", folder.resolve("no-java").toString());
        return start(new ArrayList<>(List.of(launcher.toString())), all);
    }

    /** The launcher's first start of a jar makes an archive of its classes, beside it and in its own time. */
    void awaitLaunchersArchive() throws IOException, InterruptedException {
        Path beside = options.launcher().orElseThrow().resolveSibling("../server/target");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (files(beside, "*.archive") == 0 || files(beside, "*.making") > 0) {
            if (System.nanoTime() - deadline > 0) {
                progress.warn("the launcher has made no archive: its start is measured without");
                return;
            }
            Thread.sleep(100);
        }
    }

    private static int files(Path folder, String pattern) throws IOException {
        int count = 0;
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, pattern)) {
            for (Path one : found) {
                count += Files.exists(one) ? 1 : 0;
            }
        }
        return count;
    }

    /** Begins to start the program without the launcher on the measurement's database; the caller ends it. */
    ServerProcess startPlain() throws IOException {
        return start(ServerOptions.NONE);
    }

    ServerProcess server() {
        return server;
    }

    int port() {
        return server.port();
    }

    Messages messages() {
        return messages;
    }

    /** The load generators in C, for what they can do. */
    Optional<CTools> tools() {
        tools.ifPresent(used -> client = "C");
        return tools;
    }

    IngestResult ingest(IngestPlan plan) throws IOException, InterruptedException {
        return ingest(plan, messages.copy());
    }

    IngestResult ingest(IngestPlan plan, Messages sent) throws IOException, InterruptedException {
        return IngestLoad.run(port(), server.key(), sent, plan);
    }

    StreamLoad streams(StreamPlan plan) throws IOException, InterruptedException {
        return StreamLoad.start(port(), messages, plan).awaitGreetings(PATIENCE);
    }

    /** How many, or in a quick session a hundredth of it and at least four. */
    int count(int full) {
        return options.isQuick() ? Math.max(4, full / QUICK_DIVISOR) : full;
    }

    Duration seconds(int full) {
        return Duration.ofSeconds(options.isQuick() ? 1 : full);
    }

    /** A rate; in a quick session at most 200. */
    double perSecond(double full) {
        return options.isQuick() ? Math.min(full, 200) : full;
    }

    Path folder() {
        return folder;
    }

    @Override
    public void close() {
        end();
    }

    /** Ends all that was started, and leaves nothing behind. May be called at any time, by any thread, more than once. */
    synchronized void end() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        progress.say("cleaning up");
        for (Process process : started) {
            process.toHandle().destroy();
        }
        for (Process process : started) {
            process.onExit()
                    .orTimeout(STOP_MAX.toSeconds(), TimeUnit.SECONDS)
                    .exceptionally(tooSlow -> process.destroyForcibly())
                    .join();
        }
        if (postgres != null) {
            postgres.close();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            progress.warn("cannot remove " + folder + ": " + e.getMessage());
        }
        progress.end();
    }
}
