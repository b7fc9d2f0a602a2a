package dev.agentpipe.server.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@code bin/bench}. */
@Command(
        name = "bench",
        sortOptions = false,
        description = {
            "Measures this server on this machine and prints a Markdown table: goals, medians, all runs, what a synced write"
                    + " cost and what else the machine did. Everything takes about half an hour; only 127.0.0.1 is used.",
            "",
            "bench jmh [OPTIONS]  runs the benchmarks of single parts (parse, encode, sweep); -h lists JMH's options.",
            ""
        })
public final class Bench implements Callable<Integer> {

    private static final int OK = 0;
    private static final int FAILED = 1;
    private static final long OPEN_FILES_WANTED = 11_000;

    @Option(
            names = "--only",
            split = ",",
            paramLabel = "NAME",
            description = "Only these, comma separated; see --list.")
    private List<String> only = List.of();

    @Option(names = "--list", description = "List the measurements.")
    private boolean list;

    @Option(names = "--runs", paramLabel = "N", defaultValue = "3", description = "Runs of each (default 3).")
    private int runs;

    @Option(
            names = "--quick",
            description = "A second and a hundredth of the load: proves that all works, measures nothing.")
    private boolean quick;

    @Option(
            names = "--write",
            paramLabel = "FILE",
            description = "Put the table between the markers in FILE (docs/benchmarks.md) instead of printing it.")
    private Path write;

    @Option(names = "--json", paramLabel = "FILE", description = "Write every value of every run to FILE.")
    private Path json;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Where the temporary folder is made, on the disk to be measured (default: the system's).")
    private Path dir = Path.of(System.getProperty("java.io.tmpdir"));

    @Option(
            names = "--tools",
            paramLabel = "DIR",
            description = "Use the load generators ingestload and ssefan from DIR where they can do it.")
    private Path tools;

    @Option(names = "--jar", hidden = true)
    private Path jar;

    @Option(names = "--launcher", hidden = true)
    private Path launcher;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this.")
    private boolean help;

    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Bench()).setExecutionExceptionHandler((e, commandLine, parsed) -> {
            commandLine.getErr().println("bench: " + (e.getMessage() == null ? e : e.getMessage()));
            return FAILED;
        });
    }

    static List<Measurement> measurements() {
        return Stream.of(
                        IngestMeasurements.all(),
                        StreamMeasurements.all(),
                        MemoryMeasurements.all(),
                        ReplayMeasurements.all(),
                        StartMeasurements.all())
                .flatMap(List::stream)
                .toList();
    }

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        List<Measurement> selected = select(spec.commandLine());
        if (list) {
            measurements()
                    .forEach(one -> out.printf(
                            "%-16s %s%n", one.name(), one.goals().get(0).text()));
            return OK;
        }
        checkMarkers(spec.commandLine());
        if (!Files.isReadable(Path.of("/proc/stat"))) {
            throw new IOException("there is no /proc/stat: the benchmarks know how to look at Linux only");
        }
        Progress progress = new Progress(spec.commandLine().getErr(), System.console() != null);
        if (Machine.openFilesMax() < OPEN_FILES_WANTED) {
            progress.warn("this shell allows " + Machine.openFilesMax() + " open files; some measurements need "
                    + OPEN_FILES_WANTED + " (ulimit -n)");
        }
        Path copy = Files.createTempFile(dir, "agentpipe-bench", ".jar");
        Files.copy(jar, copy, StandardCopyOption.REPLACE_EXISTING); // a build must not take it away
        try (Session session = new Session(options(List.of("-jar", copy.toString())), progress)) {
            Thread cleaner = new Thread(
                    () -> {
                        session.end();
                        delete(copy);
                    },
                    "bench-cleaner");
            Runtime.getRuntime().addShutdownHook(cleaner);
            Report report = measure(session.start(), selected, progress);
            progress.end();
            publish(report, out);
            return report.hasProblems() ? FAILED : OK;
        } finally {
            delete(copy);
        }
    }

    private List<Measurement> select(CommandLine commandLine) {
        List<Measurement> all = measurements();
        Set<String> unknown = new TreeSet<>(only);
        unknown.removeAll(all.stream().map(Measurement::name).collect(Collectors.toSet()));
        if (!unknown.isEmpty()) {
            throw new ParameterException(
                    commandLine, "there is no measurement " + String.join(", ", unknown) + ", see --list");
        }
        if (runs < 1) {
            throw new ParameterException(commandLine, "--runs must be 1 or more");
        }
        return all.stream()
                .filter(one -> only.isEmpty() || only.contains(one.name()))
                .toList();
    }

    /** Tells now what else would be told in half an hour. */
    private void checkMarkers(CommandLine commandLine) {
        try {
            if (write != null) {
                MarkedPart.replace(Files.readString(write), "");
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new ParameterException(commandLine, "--write " + write + ": " + e.getMessage());
        }
    }

    private Session.Options options(List<String> program) {
        return new Session.Options(
                dir,
                Path.of(System.getProperty("java.home")),
                program,
                Optional.ofNullable(launcher),
                Optional.ofNullable(tools),
                runs,
                quick);
    }

    private Report measure(Session session, List<Measurement> selected, Progress progress) throws IOException {
        Report report = new Report(circumstances(session));
        for (int i = 0; i < selected.size(); i++) {
            progress.part((i + 1) + " of " + selected.size());
            report.add(session.measure(selected.get(i)));
        }
        return report;
    }

    private String circumstances(Session session) throws IOException {
        return "Measured on " + LocalDate.now(ZoneOffset.UTC) + " by `bin/bench" + (quick ? " --quick" : "") + "`"
                + (quick ? ", whose figures mean nothing" : "") + ". " + Machine.describe(session.folder()) + ". "
                + System.getProperty("java.vm.name") + " " + Runtime.version()
                + ", PostgreSQL embedded (fsync on); server,"
                + " database and load share the processors.";
    }

    private void publish(Report report, PrintWriter out) throws IOException {
        if (json != null) {
            Files.writeString(json, report.json());
        }
        if (write == null) {
            out.println(report.markdown());
        } else {
            MarkedPart.replace(write, report.markdown());
            out.println("written to " + write);
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            file.toFile().deleteOnExit();
        }
    }
}
