package dev.agentpipe.server.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/backup} and {@code bin/restore}, with a server that only says what it was given. */
final class BackupScriptsTest {

    @TempDir
    private Path folder;

    private Path tree;

    @BeforeEach
    void makeTheTree() throws Exception {
        tree = folder.resolve("a tree");
        for (String name : List.of("backup", "restore", "lib/env-file.sh")) {
            Path copy = tree.resolve("bin").resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of("..", "bin", name), copy);
        }
        Path server = Files.writeString(tree.resolve("bin/agentpipe-server"), """
                #!/usr/bin/env bash
                printf '<%s>' "$@"; echo
                umask; pwd
                env -0 | tr '\\n\\0' '|\\n' | grep '^TEST_' | sort
                """);
        for (String name : List.of("agentpipe-server", "backup", "restore")) {
            Files.setPosixFilePermissions(server.resolveSibling(name), PosixFilePermissions.fromString("rwx------"));
        }
    }

    private List<String> run(int status, String script, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(tree.resolve("bin").resolve(script).toString()));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        List<String> lines = process.inputReader().lines().toList();
        assertEquals(status, process.waitFor(), lines::toString);
        return lines;
    }

    @Test
    void arguments_arePassedOn_inTheCallersFolder() throws Exception {
        assertEquals(
                List.of(
                        "<backup><--to><two words><--keep-daily=7>",
                        "0077",
                        folder.toRealPath().toString()),
                run(0, "backup", "--to", "two words", "--keep-daily=7"));
        assertEquals("<backup>", run(0, "backup").get(0));
        assertEquals(
                "<restore><--replace><a b>",
                run(0, "restore", "--replace", "a b").get(0));
    }

    @Test
    void envFile_isReadAndNotRun() throws Exception {
        Path settings = Files.writeString(folder.resolve("settings"), """
                # a comment
                ; another

                TEST_PLAIN=postgresql://u:p$(touch ran)`touch ran`@h/d?x=1&y=2 # no comment
                  TEST_QUOTED="two  words"  \s
                TEST_SINGLE='$HOME'
                TEST_EMPTY=
                TEST_LAST=it's""");
        List<String> expected = List.of(
                "TEST_EMPTY=",
                "TEST_LAST=it's",
                "TEST_PLAIN=postgresql://u:p$(touch ran)`touch ran`@h/d?x=1&y=2 # no comment",
                "TEST_QUOTED=two  words",
                "TEST_SINGLE=$HOME");
        List<String> said = run(0, "restore", "--env-file", settings.toString(), "file");
        assertEquals("<restore><file>", said.get(0));
        assertEquals(expected, said.subList(3, said.size()));
        said = run(0, "backup", "--env-file=" + settings, "--form", "copy");
        assertEquals(expected, said.subList(3, said.size()));
        assertTrue(Files.notExists(folder.resolve("ran")));

        Files.writeString(settings, "\nexport A=1\n");
        assertEquals(
                List.of(settings + ": line 2 is not NAME=VALUE"), run(2, "backup", "--env-file", settings.toString()));
        run(2, "backup", "--env-file", folder.resolve("none").toString());
        run(2, "restore", "--env-file");
    }

    @Test
    void units_areWhatSystemdTakes() throws Exception {
        boolean there = Files.isExecutable(Path.of("/usr/bin/systemd-analyze"));
        assertTrue(there || !"true".equals(System.getenv("CI")), "CI needs systemd-analyze");
        assumeTrue(there, "there is no systemd-analyze");
        Path units = Path.of("..", "conf", "systemd");
        String service = Files.readString(units.resolve("agentpipe-backup.service"));
        String program = "/usr/local/lib/agentpipe-server/bin/backup";
        assertTrue(service.contains("ExecStart=" + program + " --keep-daily 7"), service);
        Files.writeString(
                folder.resolve("agentpipe-backup.service"),
                service.replace(program, tree.resolve("bin/backup").toString().replace(" ", "\\x20")));
        Files.copy(units.resolve("agentpipe-backup.timer"), folder.resolve("agentpipe-backup.timer"));
        Process verify = new ProcessBuilder(
                        "systemd-analyze",
                        "verify",
                        folder.resolve("agentpipe-backup.service").toString(),
                        folder.resolve("agentpipe-backup.timer").toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(verify.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, verify.waitFor(), said);
        assertFalse(said.contains("agentpipe-backup"), said); // it only warns of what it does not know
    }
}
