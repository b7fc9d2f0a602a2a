package dev.agentpipe.server.backup;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.db.backup.BackupException;
import dev.agentpipe.db.backup.BackupForm;
import dev.agentpipe.db.backup.BackupManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BackupFolderTest {

    /** A Monday. */
    private static final Instant NOW = Instant.parse("2026-11-23T04:02:59Z");

    @TempDir
    private Path temporary;

    private static BackupManifest manifest(Instant at) {
        return new BackupManifest(BackupForm.PG_DUMP, 15, at, "1", "15.4", "004", "x", "k7f3aa", 1, List.of());
    }

    private static BackupFile keep(BackupFolder folder, Instant at) throws IOException {
        Path file = folder.newFile();
        Files.writeString(file, "PGDMP of " + at);
        return folder.keep(file, manifest(at));
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    @Test
    void keep_givesNameSumsAndPermissions_andAnotherSecondToTheNext() throws Exception {
        Path at = temporary.resolve("new").resolve("backups");
        BackupFile first;
        try (BackupFolder folder = BackupFolder.open(at)) {
            first = keep(folder, NOW);
            assertEquals(
                    "agentpipe-20261123T040259Z.dump",
                    first.file().getFileName().toString());
            BackupFile second = keep(folder, NOW);
            assertEquals(
                    "agentpipe-20261123T040300Z.dump",
                    second.file().getFileName().toString());
        }
        assertEquals(7, names(at).size(), "the lock, and three files for each");
        for (String name : names(at)) {
            assertEquals(
                    "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(at.resolve(name))), name);
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(at)));
        assertEquals(manifest(NOW), first.manifest().orElseThrow());
        assertTrue(first.isSummed());
        Process sha256sum = new ProcessBuilder(
                        "sha256sum", "-c", first.sumFile().getFileName().toString())
                .directory(at.toFile())
                .start();
        assertEquals(0, sha256sum.waitFor(), "as the program reads it");

        Files.writeString(first.file(), "PGDMP of something else");
        assertTrue(assertThrows(BackupException.class, first::isSummed)
                .getMessage()
                .contains("is damaged"));
        Files.delete(first.sumFile());
        assertFalse(first.isSummed());
    }

    @Test
    void open_twice_isRefused() throws Exception {
        try (BackupFolder folder = BackupFolder.open(temporary)) {
            assertThrows(BackupException.class, () -> BackupFolder.open(temporary));
            assertTrue(Files.exists(folder.newFile()), "the first one goes on");
        }
        BackupFolder.open(temporary).close();
    }

    @Test
    void unfinished_isNoBackup_andIsRemovedByTheNext() throws Exception {
        try (BackupFolder folder = BackupFolder.open(temporary)) {
            Files.writeString(folder.newFile(), "PGDM");
            assertEquals(List.of(), folder.rotate(0, 0, NOW));
        }
        assertTrue(names(temporary).stream().noneMatch(name -> name.endsWith(".dump")));
        BackupFolder.open(temporary).close();
        assertEquals(Set.of(".lock"), names(temporary));
    }

    @Test
    void rotate_keepsTheNewestOfDaysAndWeeks_andWhatIsNotItsOwn() throws Exception {
        List<String> foreign = List.of(
                "agentpipe-20200101T000000Z.dump.old", "agentpipe-2020.dump", "notes.txt", "x-20200101T000000Z.dump");
        for (String name : foreign) {
            Files.writeString(temporary.resolve(name), "");
        }
        Files.createDirectory(temporary.resolve("agentpipe-20200101T000000Z.dump"));
        try (BackupFolder folder = BackupFolder.open(temporary)) {
            for (int day = 0; day < 10; day++) {
                keep(folder, NOW.minus(day, ChronoUnit.DAYS));
                keep(folder, NOW.minus(day, ChronoUnit.DAYS).minus(2, ChronoUnit.HOURS));
            }
            List<BackupFile> removed = folder.rotate(3, 2, NOW);
            // All of 24 hours; the newest of the 23rd, 22nd and 21st; of this week that of the 23rd, of the last that
            // of the 22nd.
            Set<String> left = names(temporary).stream()
                    .filter(name -> name.matches("agentpipe-202611.*\\.dump"))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(
                    Set.of(
                            "agentpipe-20261123T040259Z.dump",
                            "agentpipe-20261123T020259Z.dump",
                            "agentpipe-20261122T040259Z.dump",
                            "agentpipe-20261121T040259Z.dump"),
                    left);
            assertEquals(20 - 4, removed.size());
            assertEquals(4 * 3 + foreign.size() + 2, names(temporary).size(), "what belongs to a backup goes with it");
            assertEquals(List.of(), folder.rotate(3, 2, NOW));
            assertTrue(names(temporary).containsAll(foreign));

            folder.rotate(0, 0, NOW.plus(365, ChronoUnit.DAYS));
            assertEquals(
                    1 + foreign.size() + 1,
                    names(temporary).stream()
                            .filter(name -> !name.startsWith(".") && !name.matches(".*\\.(json|sha256)"))
                            .count(),
                    "the newest one stays whatever its age");
        }
    }
}
