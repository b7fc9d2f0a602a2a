package dev.agentpipe.server.check;

import dev.agentpipe.server.check.Machine.Disk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MachineItemsTest {

    private static final long GIB = 1L << 30;
    private static final Path DATA = Path.of("/data");
    private static final Instant NOW = Instant.parse("2026-11-23T06:00:00Z");

    @Test
    void java_isOneThatWasTried() {
        Judged.ok(MachineItems.java(17));
        Judged.ok(MachineItems.java(25));
        Judged.failed(MachineItems.java(16), "openjdk-17");
        Judged.warning(MachineItems.java(26), "newer");
    }

    @Test
    void heapAndMemory_leaveRoom() {
        Judged.ok(MachineItems.heap(GIB, 4 * GIB), "1.0 GiB of 4.0 GiB");
        Judged.warning(MachineItems.heap(GIB / 16, GIB), "-Xmx256m");
        Judged.warning(MachineItems.heap(77 * GIB, 100 * GIB), "half of it");
        Judged.ok(MachineItems.memory(100 * GIB, 15 * GIB), "85 %");
        Judged.warning(MachineItems.memory(100 * GIB, 14 * GIB), "86 %");
    }

    @Test
    void files_areEnoughForStreams() {
        Judged.ok(MachineItems.files(2_256, 1_000, true), "of the server");
        Judged.failed(MachineItems.files(2_255, 1_000, false), "LimitNOFILE=4512");
        Judged.ok(MachineItems.user("agentpipe"));
        Judged.warning(MachineItems.user("root"), "root");
    }

    @Test
    void disk_hasRoom() {
        Judged.ok(MachineItems.disk(new Disk(DATA, 100 * GIB, 15 * GIB, true)), "15 GiB left");
        Judged.warning(MachineItems.disk(new Disk(DATA, 100 * GIB, 14 * GIB, true)), "86 %");
        Judged.failed(MachineItems.disk(new Disk(DATA, 100 * GIB, 4 * GIB, true)), "96 %");
        Judged.ok(MachineItems.temporary(new Disk(DATA, GIB, GIB / 4, true)));
        Judged.warning(MachineItems.temporary(new Disk(DATA, GIB, GIB / 4 - 1, true)), "256 MiB");
        Judged.failed(MachineItems.temporary(new Disk(DATA, GIB, GIB, false)), "may not write");
    }

    @Test
    void backup_isYoungAndWhole(@TempDir Path folder) throws Exception {
        Judged.warning(MachineItems.backup(Optional.empty(), NOW), "not set");
        Judged.warning(MachineItems.backup(Optional.of(" "), NOW), "not set");
        Judged.warning(MachineItems.backup(Optional.of(folder.resolve("none").toString()), NOW), "no folder");
        Judged.warning(MachineItems.backup(Optional.of(folder.toString()), NOW), "no backup");

        Files.createFile(folder.resolve("agentpipe-20261121T040259Z.dump"));
        Files.createFile(folder.resolve("agentpipe-30000101T000000Z.dump.part"));
        Judged.warning(MachineItems.backup(Optional.of(folder.toString()), NOW), "2 days old");
        Files.createFile(folder.resolve("agentpipe-20261122T040259Z.dump"));
        Judged.warning(MachineItems.backup(Optional.of(folder.toString()), NOW), "without its .sha256");
        Files.createFile(folder.resolve("agentpipe-20261122T040259Z.dump.sha256"));
        Judged.ok(MachineItems.backup(Optional.of(folder.toString()), NOW), "25 hours old");
        Judged.warning(MachineItems.backup(Optional.of(folder.toString()), NOW.plusSeconds(7_200)), "27 hours old");
    }
}
