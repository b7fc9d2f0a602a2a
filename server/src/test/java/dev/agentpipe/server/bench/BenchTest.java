package dev.agentpipe.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.bench.Machine.Ticks;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command, and one measurement with next to no load, from the start of PostgreSQL to the table. */
final class BenchTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    private int run(String... args) {
        CommandLine commandLine = Bench.commandLine();
        commandLine.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return commandLine.execute(args);
    }

    @Test
    void help_namesEveryOption() {
        assertEquals(0, run("--help"));
        for (String option :
                List.of("--only", "--list", "--runs", "--quick", "--write", "--json", "--dir", "--tools", "jmh")) {
            assertTrue(out.toString().contains(option), option);
        }
    }

    @Test
    void list_namesEveryMeasurementOnce() {
        assertEquals(0, run("--list"));
        List<String> names =
                Bench.measurements().stream().map(Measurement::name).toList();
        assertEquals(names.size(), Set.copyOf(names).size());
        assertEquals(
                names, out.toString().lines().map(line -> line.split(" ")[0]).collect(Collectors.toList()));
    }

    @Test
    void wrongUsage_isRefusedBeforeAnythingStarts() throws Exception {
        Path document = Files.writeString(folder.resolve("no-markers.md"), "# Benchmarks\n");

        assertEquals(2, run("--only", "ingest,nothing"));
        assertEquals(2, run("--runs", "0"));
        assertEquals(2, run("--write", document.toString()));
        assertEquals(2, run("--write", folder.resolve("missing.md").toString()));

        assertTrue(err.toString().contains("there is no measurement nothing"), err.toString());
        assertTrue(err.toString().contains("the document needs the line " + MarkedPart.BEGIN), err.toString());
    }

    @Test
    void fanOut_quick_leavesATableAndNothingElse() throws Exception {
        Measurement fanOut = Bench.measurements().stream()
                .filter(one -> one.name().equals("fan-out"))
                .findFirst()
                .orElseThrow();
        List<String> program = List.of("-cp", System.getProperty("java.class.path"), "dev.agentpipe.server.Main");
        Path javaHome = Path.of(System.getProperty("java.home"));
        Session.Options options =
                new Session.Options(folder, javaHome, program, Optional.empty(), Optional.empty(), 2, true);
        Report report = new Report("Measured in a test.");
        long children = ProcessHandle.current().children().count();

        try (Session session = new Session(options, new Progress(new PrintWriter(err, true), false))) {
            report.add(session.start().measure(fanOut));
        }

        String markdown = report.markdown();
        assertFalse(report.hasProblems(), markdown);
        assertTrue(
                markdown.matches(
                        "(?s).*into 1,000 streams[^|]+\\| ≥ [^|]+\\| [^|]+[1-9][^|]+\\| [^|]+, [^|]+\\| Java .*"),
                markdown);
        assertTrue(err.toString().contains("fan-out, run 2 of 2"), err.toString());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
        assertEquals(children, ProcessHandle.current().children().count());
    }

    @Test
    void foreignCpu_isWhatOthersHaveUsed() {
        Ticks before = new Ticks(1_000, 500, 300);

        assertEquals(10, new Ticks(1_200, 620, 400).foreignPercentSince(before));
        assertEquals(0, new Ticks(1_200, 595, 400).foreignPercentSince(before), "ticks are rounded");
        assertEquals(0, before.foreignPercentSince(before));
    }

    @Test
    void machine_isKnown() throws Exception {
        assertTrue(Machine.syncedWriteMillis(folder) > 0);
        assertTrue(Machine.describe(folder).contains("processors"));
        assertTrue(Machine.openFilesMax() > 0);
        long pid = ProcessHandle.current().pid();
        assertTrue(Machine.residentKilobytes(pid) > 10_000);
        Ticks now = Ticks.now(List.of(pid));
        assertTrue(now.ours() > 0 && now.ours() <= now.busy() && now.busy() <= now.all(), now.toString());
    }
}
