package dev.agentpipe.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/bench} in a tree of its own, with a Maven and a Java that only say that they ran. */
final class BenchScriptTest {

    @TempDir
    private Path folder;

    private Path tree;

    private record Outcome(int status, String out, String err) {}

    @BeforeEach
    void makeTheTree() throws IOException {
        tree = Files.createDirectory(folder.resolve("a tree")).toRealPath();
        for (String name : List.of("bin/bench", "bin/lib/jdk.sh")) {
            Files.createDirectories(tree.resolve(name).getParent());
            Files.copy(Path.of("..").resolve(name), tree.resolve(name));
        }
        for (String name : List.of("pom.xml", "server/pom.xml", "server/src/bench/java/A.java")) {
            Files.createDirectories(tree.resolve(name).getParent());
            Files.writeString(tree.resolve(name), "");
        }
        script(folder.resolve("jdk/bin/java"), "printf '%s\\n' \"$@\"");
        maven("");
    }

    /** A Maven that makes what the build makes, after doing something else. */
    private void maven(String first) throws IOException {
        script(
                folder.resolve("path/mvn"),
                first + "\nmkdir -p \"" + tree + "/server/target\"\n"
                        + "printf one.jar:two.jar >\"" + tree + "/server/target/bench.classpath\"\n"
                        + "touch \"" + tree + "/server/target/agentpipe-server-1-all.jar\"");
    }

    private static void script(Path file, String body) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/usr/bin/env bash\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Outcome run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(tree.resolve("bin/bench").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile());
        builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
        builder.environment().merge("PATH", folder.resolve("path") + ":", (old, mine) -> mine + old);
        Process process = builder.start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the script ends");
        return new Outcome(
                process.exitValue(), Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
    }

    @Test
    void missingBuild_isMadeAndRunWithTheArguments() throws Exception {
        Outcome outcome = run("--only", "ingest,start");

        assertEquals(0, outcome.status(), outcome.err());
        assertTrue(outcome.err().contains("building first"), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(
                tree + "/server/target/test-classes:" + tree + "/server/target/classes:one.jar:two.jar",
                lines.get(lines.indexOf("-cp") + 1));
        assertEquals(
                List.of(
                        "dev.agentpipe.server.bench.Bench",
                        "--jar",
                        tree + "/server/target/agentpipe-server-1-all.jar",
                        "--launcher",
                        tree + "/bin/agentpipe-server",
                        "--only",
                        "ingest,start"),
                lines.subList(lines.indexOf("dev.agentpipe.server.bench.Bench"), lines.size()));
    }

    @Test
    void build_isMadeAgainOnlyWhenASourceIsNewer() throws Exception {
        run();
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path path : all.filter(one -> !one.startsWith(tree.resolve("server/target")))
                    .toList()) {
                Files.setLastModifiedTime(path, FileTime.from(Instant.now().minusSeconds(60)));
            }
        }
        assertFalse(run().err().contains("building"), "nothing is newer");

        Files.setLastModifiedTime(
                tree.resolve("server/src/bench/java/A.java"),
                FileTime.from(Instant.now().plusSeconds(1)));

        assertTrue(run().err().contains("building"), "a source is newer");
    }

    @Test
    void build_thatFails_showsItsEnd() throws Exception {
        maven("echo '[ERROR] no such symbol'; exit 1");

        Outcome outcome = run();

        assertEquals(1, outcome.status());
        assertTrue(outcome.err().contains("[ERROR] no such symbol"), outcome.err());
        assertTrue(outcome.err().contains(tree + "/target/bench-build.log"), outcome.err());
    }

    @Test
    void jmh_runsTheBenchmarksOfSingleParts() throws Exception {
        List<String> lines = run("jmh", "-f", "1", "Lane").out().lines().toList();

        assertEquals(
                List.of("org.openjdk.jmh.Main", "-f", "1", "Lane"),
                lines.subList(lines.indexOf("org.openjdk.jmh.Main"), lines.size()));
    }
}
