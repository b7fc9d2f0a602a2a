package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/agentpipe-server} and its archive of classes, with a real Java and a jar of one small program. */
final class LauncherArchiveTest {

    private static final String JAR = "agentpipe-server-1.0-all.jar";

    @TempDir
    private Path folder;

    private Path tree;
    private Path target;
    private Path classes;
    private Path trainings;
    private final Map<String, String> environment = new HashMap<>();
    private List<String> asUser = List.of();

    /** What the jar holds. */
    static final class Program {
        public static void main(String[] arguments) throws IOException {
            if (arguments[0].equals("train")) {
                Files.writeString(
                        Path.of(System.getenv("TRAININGS")),
                        "trained\n",
                        StandardOpenOption.CREATE,
                        StandardOpenOption.APPEND);
                if (System.getenv("TRAINING_FAILS") != null) {
                    System.exit(1);
                }
            }
            System.out.println("ran " + arguments[0]);
        }
    }

    @BeforeEach
    void makeTheTree() throws IOException {
        tree = folder.resolve("tree"); // Java 17 archives no class whose jar has a space in its path
        target = Files.createDirectories(tree.resolve("server/target"));
        classes = folder.resolve("classes.log");
        trainings = folder.resolve("trainings");
        Path scripts = Path.of("..", "bin").toAbsolutePath().normalize();
        for (String name : List.of("agentpipe-server", "lib/jdk.sh", "lib/archive.sh")) {
            Path copy = tree.resolve("bin").resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(scripts.resolve(name), copy);
        }
        environment.put("PATH", System.getenv("PATH"));
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("AGENTPIPE_JVM_DIR", folder.resolve("none").toString());
        environment.put("HOME", Files.createDirectory(folder.resolve("home")).toString());
        environment.put("TRAININGS", trainings.toString());
        jar("first");
    }

    @Test
    void firstStart_makesTheArchiveForTheNextOnes() throws Exception {
        assertEquals("ran serve\n", run("serve"));

        Path archive = awaitArchive(target, 1);
        assertTrue(usesTheArchive());
        assertEquals("ran version\n", run("version"));
        assertEquals(List.of(archive), archives(target));
        assertEquals(1, trainings());
    }

    @Test
    void otherCommands_makeNone() throws Exception {
        assertEquals("ran version\n", run("version"));

        assertFalse(isMaking(target));
        assertEquals(List.of(), archives(target));
    }

    @Test
    void build_makesItAtOnce() throws Exception {
        Files.writeString(tree.resolve("pom.xml"), "");
        Path built = Files.move(target.resolve(JAR), folder.resolve("built.jar"));
        Path tools = Files.createDirectory(folder.resolve("tools"));
        Files.writeString(tools.resolve("mvn"), "#!/bin/sh\ncp '" + built + "' '" + target.resolve(JAR) + "'\n");
        Files.setPosixFilePermissions(tools.resolve("mvn"), PosixFilePermissions.fromString("rwxr-xr-x"));
        environment.put("PATH", tools + ":" + environment.get("PATH"));

        String out = run("version");

        assertTrue(out.endsWith("ran version\n"), out);
        assertEquals(1, archives(target).size());
        assertTrue(usesTheArchive());
    }

    @Test
    void newJar_hasANewArchiveAndTheOldOneIsRemoved() throws Exception {
        run("serve");
        Path first = awaitArchive(target, 1);
        jar("second");

        assertFalse(usesTheArchive());

        Path second = awaitArchive(target, 2);
        assertFalse(second.equals(first));
        assertTrue(usesTheArchive());
    }

    @Test
    void archiveThatIsCutOffOrDamaged_isIgnoredWithoutAWord() throws Exception {
        run("serve");
        Path archive = awaitArchive(target, 1);
        byte[] whole = Files.readAllBytes(archive);

        replace(archive, Arrays.copyOf(whole, whole.length / 2));
        assertEquals("ran serve\n", run("serve"));
        archive = awaitArchive(target, 2);
        assertTrue(usesTheArchive(), "made anew");

        byte[] damaged = Files.readAllBytes(archive);
        Arrays.fill(damaged, 0, 4_096, (byte) 7);
        replace(archive, damaged);
        assertEquals("ran serve\n", run("serve"));
    }

    @Test
    void twoStartsAtOnce_makeOne() throws Exception {
        Process one = start("one", "serve");
        Process two = start("two", "serve");

        assertEquals("ran serve\n", output(one, "one"));
        assertEquals("ran serve\n", output(two, "two"));
        awaitArchive(target, 1);
        assertEquals(1, trainings());
    }

    @Test
    void folderThatMayNotBeWritten_hasTheArchiveInTheUsersCache() throws Exception {
        becomeAnOrdinaryUser();
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("r-xr-xr-x"));
        Path cache = folder.resolve("cache/agentpipe-server");
        environment.put("CACHE_DIRECTORY", folder.resolve("cache") + ":/nowhere");

        assertEquals("ran serve\n", run("serve"));

        awaitArchive(cache, 1);
        assertTrue(usesTheArchive());
        assertEquals(List.of(), archives(target));

        environment.remove("CACHE_DIRECTORY");
        environment.remove("HOME");
        assertFalse(usesTheArchive(), "there is no place for one");
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    @Test
    void archiveThatCannotBeMade_isNotTriedAgain() throws Exception {
        environment.put("TRAINING_FAILS", "yes");
        run("serve");
        assertEquals(0, Files.size(awaitArchive(target, 1)));

        assertEquals("ran serve\n", run("serve"));

        assertFalse(isMaking(target));
        assertEquals(1, trainings());
    }

    @Test
    void optionsOfTheUsersOwn_areLeftAlone() throws Exception {
        run("serve");
        awaitArchive(target, 1);
        environment.put("JDK_JAVA_OPTIONS", "-Xshare:off");

        String out = run("serve");

        assertTrue(out.endsWith("ran serve\n"), out);
        assertFalse(out.contains("rror"), out);
    }

    /** Whether the program's class comes from the archive. */
    private boolean usesTheArchive() throws Exception {
        Files.deleteIfExists(classes);
        environment.put("JDK_JAVA_OPTIONS", "-Xlog:class+load:file=" + classes);
        try {
            assertTrue(run("serve").endsWith("ran serve\n"));
        } finally {
            environment.remove("JDK_JAVA_OPTIONS");
        }
        String line = Files.readString(classes)
                .lines()
                .filter(each -> each.contains(" " + Program.class.getName() + " "))
                .findFirst()
                .orElseThrow();
        return line.contains("shared objects file");
    }

    /** To root every folder is writable. */
    private void becomeAnOrdinaryUser() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.toList()) {
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
            }
        }
        if (System.getProperty("user.name").equals("root")) {
            asUser = List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups");
        }
    }

    private Path awaitArchive(Path where, int trainings) throws IOException {
        Await.until(() -> trainings() + " trainings", () -> trainings() == trainings && !isMaking(where));
        List<Path> archives = archives(where);
        assertEquals(1, archives.size(), archives.toString());
        return archives.get(0);
    }

    private int trainings() {
        try {
            return Files.exists(trainings) ? Files.readAllLines(trainings).size() : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Path> archives(Path where) {
        return endingWith(where, ".archive");
    }

    private static boolean isMaking(Path where) {
        return !endingWith(where, ".making").isEmpty();
    }

    private static List<Path> endingWith(Path where, String end) {
        if (!Files.isDirectory(where)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(where)) {
            return files.filter(file -> file.toString().endsWith(end)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A jar of the program; the content makes it another one. */
    private void jar(String content) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Program.class.getName());
        String name = Program.class.getName().replace('.', '/') + ".class";
        Path partial = folder.resolve("partial.jar");
        try (InputStream program = Program.class.getClassLoader().getResourceAsStream(name);
                OutputStream out = Files.newOutputStream(partial);
                JarOutputStream jar = new JarOutputStream(out, manifest)) {
            jar.putNextEntry(new JarEntry(name));
            program.transferTo(jar);
            jar.putNextEntry(new JarEntry("content"));
            jar.write(content.getBytes(StandardCharsets.UTF_8));
        }
        replace(target.resolve(JAR), Files.readAllBytes(partial));
    }

    /** Not overwritten: a Java may run from it. */
    private static void replace(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        Files.write(file, content);
    }

    private String run(String... arguments) throws IOException, InterruptedException {
        return output(start("run", arguments), "run");
    }

    private Process start(String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(asUser);
        command.add(tree.resolve("bin/agentpipe-server").toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".out").toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** Both outputs in one. */
    private String output(Process process, String name) throws IOException, InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the script did not end");
        }
        String output = Files.readString(folder.resolve(name + ".out"));
        assertEquals(0, process.exitValue(), output);
        return output;
    }
}
