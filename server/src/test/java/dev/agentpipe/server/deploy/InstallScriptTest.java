package dev.agentpipe.server.deploy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/install} into a folder, with a jar that only says which it is, and the launcher that it has installed. */
final class InstallScriptTest {

    private static final String HOME = "usr/local/lib/agentpipe-server";
    private static final String SETTINGS = "etc/agentpipe-server/agentpipe-server.env";

    @TempDir
    private Path folder;

    private Path destination;
    private Path program;

    private record Outcome(int status, String said) {}

    /** Says the version that is its first argument: run by {@code java -jar}. */
    public static final class Said {
        private Said() {}

        public static void main(String[] arguments) throws IOException {
            try (InputStream version = Said.class.getResourceAsStream("/version")) {
                System.out.println(
                        new String(version.readAllBytes(), StandardCharsets.UTF_8) + " " + String.join(" ", arguments));
            }
        }
    }

    @BeforeEach
    void name() {
        destination = folder.resolve("dest");
        program = destination.resolve(HOME);
    }

    @Test
    void installed_launcherRunsTheJar_fromAnyFolder() throws Exception {
        assertEquals(0, install(jar("1.0.0")).status());

        assertEquals(new Outcome(0, "1.0.0 version\n"), run("/", program.resolve("bin/agentpipe-server"), "version"));
        assertEquals(
                "/" + HOME + "/bin/agentpipe-server",
                Files.readSymbolicLink(destination.resolve("usr/local/bin/agentpipe-server"))
                        .toString());
        String unit = Files.readString(destination.resolve("etc/systemd/system/agentpipe-server.service"));
        assertTrue(unit.contains("ExecStart=/" + HOME + "/bin/agentpipe-server serve"), unit);
        assertEquals("rw-r-----", mode(destination.resolve(SETTINGS)), "it will hold passwords");
        assertTrue(Files.exists(program.resolve("conf/nginx/agentpipe-server.conf")));
    }

    @Test
    void otherPrefix_isInTheUnit_andRelativeOnesAreRefused() throws Exception {
        assertEquals(0, install(jar("1.0.0"), "--prefix", "/opt/agentpipe").status());
        String unit = Files.readString(destination.resolve("etc/systemd/system/agentpipe-server.service"));
        assertTrue(unit.contains("ExecStart=/opt/agentpipe/lib/agentpipe-server/bin/agentpipe-server serve"), unit);
        assertFalse(unit.contains("/usr/local"), unit);

        for (String prefix : List.of("opt", "/opt/../etc", "/o pt", "/")) {
            assertEquals(1, install(jar("1.0.0"), "--prefix", prefix).status(), prefix);
        }
        assertEquals(2, install(jar("1.0.0"), "--whatever").status());
        assertEquals(2, install(jar("1.0.0"), "--purge").status());
    }

    @Test
    void again_changesNothing_andEditedSettingsStay() throws Exception {
        install(jar("1.0.0"));
        List<Path> before = all();
        install(jar("1.0.0"));
        assertEquals(before, all());

        Path settings = destination.resolve(SETTINGS);
        Path example = program.resolve("conf/agentpipe-server.env.example");
        Files.writeString(settings, "PORT=4000\n");
        install(jar("1.0.0"));
        assertEquals("PORT=4000\n", Files.readString(settings));
        assertFalse(Files.exists(destination.resolve(SETTINGS + ".new")), "the example is as it was");

        Files.writeString(example, "# of an older version\n");
        String said = install(jar("1.0.0")).said();
        assertEquals("PORT=4000\n", Files.readString(settings));
        assertTrue(Files.readString(destination.resolve(SETTINGS + ".new")).contains("#PORT=3000"));
        assertTrue(said.contains(".new"), said);

        Files.writeString(example, "# of an older version\n");
        Files.writeString(settings, "# of an older version\n");
        install(jar("1.0.0"));
        assertTrue(Files.readString(settings).contains("#PORT=3000"), "nobody had edited it");
    }

    @Test
    void upgrade_leavesTheOldJarToWhoRunsIt_andKeepsTwo() throws Exception {
        install(jar("1.0.0"));
        try (InputStream running = Files.newInputStream(program.resolve("lib/agentpipe-server.jar"))) {
            byte[] old = Files.readAllBytes(program.resolve("lib/agentpipe-server.jar"));
            install(jar("1.1.0"));
            assertEquals(old.length, running.readAllBytes().length, "the same file, to its end");
        }
        assertEquals(2, jars().size(), "the one of before can be gone back to: " + jars());
        install(jar("1.2.0"));
        assertEquals(2, jars().size(), jars().toString());
        assertEquals(new Outcome(0, "1.2.0 version\n"), run("/", program.resolve("bin/agentpipe-server"), "version"));
        assertTrue(jars().get(0).startsWith("agentpipe-server-1.1.0-"), jars().toString());
    }

    @Test
    void uninstall_keepsDataAndSettings_andPurgeDoesNot() throws Exception {
        install(jar("1.0.0"));
        Path data = Files.createDirectories(destination.resolve("var/lib/agentpipe-server/postgres"));
        Path others = Files.createDirectories(destination.resolve("usr/local/lib/other"));

        assertEquals(0, run("/", script(), "--uninstall").status());

        assertFalse(Files.exists(program));
        assertFalse(Files.exists(destination.resolve("usr/local/bin/agentpipe-server")));
        assertFalse(Files.exists(destination.resolve("etc/systemd/system/agentpipe-server.service")));
        assertTrue(Files.exists(destination.resolve(SETTINGS)));
        assertTrue(Files.exists(data) && Files.exists(others));
        assertEquals(0, run("/", script(), "--uninstall").status(), "again");

        assertEquals(0, run("/", script(), "--uninstall", "--purge").status());
        assertFalse(Files.exists(destination.resolve("etc/agentpipe-server")));
        assertFalse(Files.exists(destination.resolve("var/lib/agentpipe-server")));
        assertTrue(Files.exists(others));
    }

    @Test
    void uninstall_folderOfSomebodyElse_isLeftAlone() throws Exception {
        Path precious = Files.createDirectories(program).resolve("precious");
        Files.writeString(precious, "x");
        assertEquals(1, run("/", script(), "--uninstall").status());
        assertTrue(Files.exists(precious));
    }

    private List<Path> all() throws IOException {
        try (Stream<Path> paths = Files.walk(destination)) {
            return paths.sorted().toList();
        }
    }

    private List<String> jars() throws IOException {
        try (Stream<Path> files = Files.list(program.resolve("lib"))) {
            return files.filter(file -> !Files.isSymbolicLink(file))
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private Path jar(String version) throws IOException {
        Path jar = folder.resolve("agentpipe-server-" + version + "-all.jar");
        if (Files.exists(jar)) {
            return jar; // made again it would differ, by its times
        }
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Said.class.getName());
        String path = Said.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                InputStream code = Said.class.getResourceAsStream("/" + path)) {
            JarEntry entry = new JarEntry(path);
            entry.setTime(0);
            out.putNextEntry(entry);
            code.transferTo(out);
            out.putNextEntry(new JarEntry("version"));
            out.write(version.getBytes(StandardCharsets.UTF_8));
        }
        return jar;
    }

    private static Path script() {
        return Path.of("..", "bin", "install").toAbsolutePath().normalize();
    }

    private Outcome install(Path jar, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("--jar", jar.toString()));
        arguments.addAll(List.of(more));
        return run("/", script(), arguments.toArray(String[]::new));
    }

    private Outcome run(String from, Path script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(script.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(Path.of(from).toFile()).redirectErrorStream(true);
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv("PATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("DESTDIR", destination.toString());
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Outcome(process.exitValue(), said);
    }
}
