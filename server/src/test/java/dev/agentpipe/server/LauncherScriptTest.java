package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/agentpipe-server} in a tree of its own, with a Maven and with Javas that only say that they ran. */
final class LauncherScriptTest {

    private static final List<String> TOOLS = List.of(
            "bash",
            "env",
            "dirname",
            "readlink",
            "find",
            "flock",
            "rm",
            "mkdir",
            "id",
            "tee",
            "tail",
            "sed",
            "touch",
            "stat",
            "cksum",
            "sleep");

    @TempDir
    private Path folder;

    private Path tree;
    private Path path;
    private Path jvms;
    private final Map<String, String> environment = new HashMap<>();

    private record Outcome(int status, String out, String err) {}

    @BeforeEach
    void makeTheTree() throws IOException {
        tree = folder.resolve("a tree");
        path = Files.createDirectory(folder.resolve("path"));
        jvms = Files.createDirectory(folder.resolve("jvms"));
        Path scripts = Path.of("..", "bin").toAbsolutePath().normalize();
        for (String name : List.of("agentpipe-server", "lib/jdk.sh", "lib/archive.sh")) {
            Path copy = tree.resolve("bin").resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(scripts.resolve(name), copy);
        }
        executable(tree.resolve("bin/agentpipe-server"));
        for (String file : List.of("pom.xml", "core/pom.xml", "server/pom.xml", "core/src/main/java/A.java")) {
            Files.createDirectories(tree.resolve(file).getParent());
            Files.writeString(tree.resolve(file), "");
        }
        for (String tool : TOOLS) {
            Path found = List.of(Path.of("/bin", tool), Path.of("/usr/bin", tool)).stream()
                    .filter(Files::isExecutable)
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no " + tool));
            Files.writeString(path.resolve(tool), "#!/bin/sh\nexec " + found + " \"$@\"\n");
            executable(path.resolve(tool));
        }
        environment.put("PATH", path.toString());
        environment.put("AGENTPIPE_JVM_DIR", jvms.toString());
    }

    @Test
    void jar_missing_isBuiltAndThenRun() throws Exception {
        maven("");
        jdk("jdk-17", "17.0.1");

        Outcome outcome = run("serve", "two words");

        assertEquals(0, outcome.status(), outcome.err());
        assertEquals(
                List.of("jdk-17 runs -XX:+ExitOnOutOfMemoryError -XX:G1PeriodicGCInterval=10000 -jar " + jar()
                        + " serve two words in " + folder.toRealPath()),
                outcome.out().lines().toList());
        assertTrue(outcome.err().contains("building the server with Java 17"), outcome.err());
        assertTrue(Files.readString(tree.resolve("target/build.log")).contains("mvn with jdk-17"), "Maven's JDK");
    }

    @Test
    void jar_fresh_isRunWithoutAnyMaven() throws Exception {
        jdk("jdk-17", "17.0.1");
        jarOfAge(0);

        Outcome outcome = run();

        assertEquals(0, outcome.status(), outcome.err());
        assertEquals("", outcome.err());
    }

    @Test
    void jar_olderThanASourceOrAPom_isBuiltAnew() throws Exception {
        jdk("jdk-17", "17.0.1");
        maven("");
        for (String file : List.of("pom.xml", "server/pom.xml", "core/src/main/java/A.java", "core/src/main/java")) {
            jarOfAge(60);
            for (String other : List.of("pom.xml", "core/pom.xml", "server/pom.xml", "core/src/main/java/A.java")) {
                age(tree.resolve(other), 120);
            }
            for (String other : List.of("core/src/main/java", "core/src/main")) {
                age(tree.resolve(other), 120);
            }
            assertFalse(run().err().contains("building"), "nothing is newer");

            age(tree.resolve(file), 30);

            assertTrue(run().err().contains("building"), file + " is newer");
            assertFalse(run().err().contains("building"), "after the build");
        }
    }

    @Test
    void source_editedWhileTheBuildRuns_isBuiltAtTheNextStart() throws Exception {
        jdk("jdk-17", "17.0.1");
        maven("sleep 0.05; touch " + quoted(tree.resolve("core/src/main/java/A.java")) + "; sleep 0.05");

        run();

        assertTrue(run().err().contains("building"), "the edit counts as newer");
    }

    @Test
    void jar_thatAServerRunsFrom_isReplacedAndNotOverwritten() throws Exception {
        jdk("jdk-17", "17.0.1");
        maven("");
        jarOfAge(60);
        Files.writeString(tree.resolve(JAR), "in use");
        age(tree.resolve(JAR), 60);

        try (InputStream running = Files.newInputStream(tree.resolve(JAR))) {
            assertTrue(run().err().contains("building"), "the sources are newer");

            assertEquals("in use", new String(running.readAllBytes(), StandardCharsets.UTF_8));
        }
        assertEquals("", Files.readString(tree.resolve(JAR)));
    }

    @Test
    void severalJavas_theNewestIsTaken() throws Exception {
        jarOfAge(0);
        jdk("jdk-9", "9.0.4");
        jdk("jdk-8", "1.8.0_402");
        jdk("jdk-25", "25");
        jdk("jdk-17", "17.0.1");
        Path mine = Files.createDirectory(folder.resolve("mine"));
        java(mine, "jdk-21", "21.0.1");
        environment.put("JAVA_HOME", mine.resolve("jdk-21").toString());

        assertTrue(run().out().startsWith("jdk-25 runs"));

        java(mine, "jdk-26", "26-ea");
        environment.put("JAVA_HOME", mine.resolve("jdk-26").toString());
        assertTrue(run().out().startsWith("jdk-26 runs"));
    }

    @Test
    void options_ofTheUser_comeAfterTheLaunchersDefaults() throws Exception {
        jarOfAge(0);
        script(java(jvms, "jdk-17", "17.0.15").resolve("bin/java"), "echo \"$JDK_JAVA_OPTIONS | $*\"");
        String idle = "-XX:G1PeriodicGCInterval=10000 -XX:TrimNativeHeapInterval=10000";

        assertTrue(run().out().startsWith(" | -XX:+ExitOnOutOfMemoryError " + idle + " -jar "));

        environment.put("JDK_JAVA_OPTIONS", "-Xmx256m");
        assertTrue(run().out().startsWith(idle + " -Xmx256m | -XX:+ExitOnOutOfMemoryError -jar "));
    }

    @Test
    void javaOnThePathWithoutReleaseFile_isAskedForItsVersion() throws Exception {
        jarOfAge(0);
        Path home = java(folder, "linked", "21.0.1");
        Files.delete(home.resolve("release"));
        Files.createSymbolicLink(path.resolve("java"), home.resolve("bin/java"));

        assertTrue(run().out().startsWith("linked runs"));
    }

    @Test
    void noJavaOf17_isSaidWithWhatToInstall() throws Exception {
        jdk("jdk-11", "11.0.2");
        maven("");

        Outcome building = run();
        jarOfAge(0);
        Outcome running = run();

        assertEquals(1, building.status());
        assertTrue(building.err().contains("no JDK of 17 or later"), building.err());
        assertTrue(building.err().contains("apt-get install openjdk-17-jdk-headless"), building.err());
        assertEquals(1, running.status());
        assertTrue(running.err().contains("apt-get install openjdk-17-jre-headless"), running.err());
    }

    @Test
    void javaWithoutCompiler_canRunButNotBuild() throws Exception {
        maven("");
        java(jvms, "jre-17", "17.0.1");

        assertTrue(run().err().contains("no JDK of 17 or later"));

        jarOfAge(0);
        assertTrue(run().out().startsWith("jre-17 runs"));
    }

    @Test
    void noMaven_isSaidWithWhatToInstall() throws Exception {
        jdk("jdk-17", "17.0.1");

        Outcome outcome = run();

        assertEquals(1, outcome.status());
        assertTrue(outcome.err().contains("apt-get install maven"), outcome.err());
    }

    @Test
    void build_failing_showsTheLogsEndAndItsPath() throws Exception {
        jdk("jdk-17", "17.0.1");
        maven("echo '[ERROR] no such symbol'; exit 1");

        Outcome outcome = run();

        assertEquals(1, outcome.status());
        assertEquals("", outcome.out());
        assertTrue(outcome.err().contains("  [ERROR] no such symbol"), outcome.err());
        assertTrue(
                outcome.err()
                        .contains(tree.toRealPath().resolve("target/build.log").toString()),
                outcome.err());
    }

    @Test
    void twoStartsAtOnce_buildOnce() throws Exception {
        jdk("jdk-17", "17.0.1");
        Path builds = folder.resolve("builds");
        maven("echo built >>" + quoted(builds) + "; sleep 0.5");

        Process one = start("one");
        Process two = start("two");

        assertEquals(0, outcome(one, "one").status());
        assertEquals(0, outcome(two, "two").status());
        assertEquals("built\n", Files.readString(builds));
    }

    private void jdk(String name, String version) throws IOException {
        script(java(jvms, name, version).resolve("bin/javac"), "");
    }

    /** A Java home whose program says its folder's name and what it was given. */
    private Path java(Path parent, String name, String version) throws IOException {
        Path home = parent.resolve(name);
        Files.createDirectories(home.resolve("bin"));
        Files.writeString(
                home.resolve("release"), "IMPLEMENTOR=\"none\"\nJAVA_VERSION=\"" + version + "\"\nOS_NAME=\"Linux\"\n");
        script(
                home.resolve("bin/java"),
                "if [[ $1 == -version ]]; then echo 'openjdk version \"" + version + "\" 2026' >&2; exit 0; fi\n"
                        + "echo \"" + name + " runs $* in $PWD\"");
        return home;
    }

    /** A Maven that makes the jar, after doing something else. */
    private void maven(String first) throws IOException {
        script(
                path.resolve("mvn"),
                "echo \"mvn with ${JAVA_HOME##*/}\"\necho '[INFO] Building core [1/2]'\n" + first + "\nmkdir -p "
                        + quoted(tree.resolve("server/target")) + "\n: >" + quoted(tree.resolve(JAR)));
    }

    private static final String JAR = "server/target/agentpipe-server-1.0-all.jar";

    private Path jar() throws IOException {
        return tree.toRealPath().resolve(JAR);
    }

    private void jarOfAge(long seconds) throws IOException {
        Files.createDirectories(tree.resolve(JAR).getParent());
        if (!Files.exists(tree.resolve(JAR))) {
            Files.createFile(tree.resolve(JAR));
        }
        age(tree.resolve(JAR), seconds);
    }

    private static void age(Path file, long seconds) throws IOException {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(seconds)));
    }

    private static void script(Path file, String body) throws IOException {
        Files.writeString(file, "#!/usr/bin/env bash\n" + body + "\n");
        executable(file);
    }

    private static void executable(Path file) throws IOException {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static String quoted(Path file) {
        return "'" + file + "'";
    }

    private Outcome run(String... arguments) throws IOException, InterruptedException {
        return outcome(start("run", arguments), "run");
    }

    private Process start(String name, String... arguments) throws IOException {
        List<String> command =
                new ArrayList<>(List.of(tree.resolve("bin/agentpipe-server").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve(name + ".out").toFile())
                .redirectError(folder.resolve(name + ".err").toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    private Outcome outcome(Process process, String name) throws IOException, InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the script did not end");
        }
        return new Outcome(
                process.exitValue(),
                Files.readString(folder.resolve(name + ".out")),
                Files.readString(folder.resolve(name + ".err")));
    }
}
