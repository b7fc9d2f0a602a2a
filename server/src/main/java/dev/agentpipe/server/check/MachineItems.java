package dev.agentpipe.server.check;

import dev.agentpipe.server.check.Group.NotThereException;
import dev.agentpipe.server.check.Machine.Disk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;

/** The machine, as far as this program sees it; run it where the server runs. */
final class MachineItems {

    private static final int JAVA_MIN = 17;
    private static final int JAVA_TRIED_MAX = 25;

    /** With less, the caches that hold streams' newest events are too small for much more than a try. */
    private static final long HEAP_MIN = 128L << 20;

    private static final int HEAP_PERCENT_MAX = 75;
    private static final int DISK_WARNING = 85;
    private static final int DISK_FAILED = 95;
    private static final int MEMORY_WARNING = 85;

    /** For what is no client: the database, files, the JVM's own. */
    private static final int FILES_RESERVED = 256;

    /** Beside the streams, as many connections as one address may have for requests. */
    private static final int REQUESTS = 1_000;

    /** Of all uploads together, see ARCHITECTURE.md. */
    private static final long UPLOADS_MAX = 256L << 20;

    private static final Duration BACKUP_AGE_MAX = Duration.ofHours(26);
    private static final String BACKUP_FIX = "BACKUP_DIR, and bin/backup each day: docs/backup.md";
    private static final DateTimeFormatter BACKUP_TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'");

    private MachineItems() {}

    static Group<Machine> group(Subject subject) {
        int streams = subject.settings().streams().connectionsMax();
        return new Group<>(
                "machine",
                () -> Machine.look(subject),
                "run it where the server runs",
                List.of(
                        new Item<>("java", "the Java of this program", look -> java(look.javaVersion())),
                        new Item<>(
                                "heap",
                                "its heap against the machine's memory",
                                look -> heap(look.heapMax(), look.memory())),
                        new Item<>(
                                "memory", "memory that is left", look -> memory(look.memory(), look.memoryAvailable())),
                        new Item<>(
                                "file_descriptors",
                                "files for SSE_MAX_CONNECTIONS",
                                look -> files(
                                        look.filesMax(), streams, look.server().isPresent())),
                        new Item<>("server_user", "the server is not root", MachineItems::user),
                        new Item<>("disk", "space for DATA_DIR", look -> disk(look.data())),
                        new Item<>("temporary_files", "space for uploads", look -> temporary(look.temporary())),
                        new Item<>(
                                "backup",
                                "the age of the newest backup",
                                look -> backup(
                                        Optional.ofNullable(subject.variables().get("BACKUP_DIR")), subject.now()))));
    }

    static Verdict java(int version) {
        if (version < JAVA_MIN) {
            return Verdict.failed("Java " + version, "apt-get install openjdk-17-jre-headless");
        }
        return version > JAVA_TRIED_MAX
                ? Verdict.warning("Java " + version + ", newer than any that was tried", "Java 17, 21 or 25")
                : Verdict.ok("Java " + version);
    }

    static Verdict heap(long heap, long memory) {
        String is = "%s of %s, if the server has the same JDK_JAVA_OPTIONS"
                .formatted(Amounts.bytes(heap), Amounts.bytes(memory));
        if (heap < HEAP_MIN) {
            return Verdict.warning(is + ": little for many streams", "JDK_JAVA_OPTIONS=-Xmx256m");
        }
        return Amounts.percent(heap, memory) > HEAP_PERCENT_MAX
                ? Verdict.warning(
                        is + ": the machine has too little for the rest", "JDK_JAVA_OPTIONS=-Xmx with half of it")
                : Verdict.ok(is);
    }

    static Verdict memory(long memory, long available) {
        int used = Amounts.percent(memory - available, memory);
        String is = "%d %% of %s used".formatted(used, Amounts.bytes(memory));
        return used > MEMORY_WARNING
                ? Verdict.warning(is, "look for who takes it:  ps aux --sort -rss | head")
                : Verdict.ok(is);
    }

    static Verdict files(long max, int streams, boolean isServers) {
        long wanted = (long) streams + REQUESTS + FILES_RESERVED;
        String is = "%d %s, %d are needed for %d streams"
                .formatted(max, isServers ? "of the server" : "of this process", wanted, streams);
        return max < wanted
                ? Verdict.failed(is, "LimitNOFILE=%d in the unit, or  ulimit -n".formatted(wanted * 2))
                : Verdict.ok(is);
    }

    private static Verdict user(Machine look) throws NotThereException {
        return user(look.server()
                .map(Machine.Running::user)
                .filter(user -> !user.isEmpty())
                .orElseThrow(() -> new NotThereException("no server's process is seen on this machine")));
    }

    static Verdict user(String user) {
        return user.equals("root")
                ? Verdict.warning(
                        "root: whoever breaks in has the machine", "bin/install, which makes a user of its own")
                : Verdict.ok(user);
    }

    static Verdict disk(Disk disk) {
        String is =
                "%d %% used, %s left for %s".formatted(disk.usedPercent(), Amounts.bytes(disk.usable()), disk.path());
        String fix = "du -xh --max-depth=2 / | sort -h | tail, and make space; docs/RUNBOOK.md, disk full";
        if (disk.usedPercent() > DISK_FAILED) {
            return Verdict.failed(is, fix);
        }
        return disk.usedPercent() > DISK_WARNING ? Verdict.warning(is, fix) : Verdict.ok(is);
    }

    static Verdict temporary(Disk disk) {
        String is = "%s left in %s".formatted(Amounts.bytes(disk.usable()), disk.path());
        if (!disk.isWritable()) {
            return Verdict.failed(
                    is + ", where this user may not write", "chmod 1777 " + disk.path() + ", or -Djava.io.tmpdir");
        }
        return disk.usable() < UPLOADS_MAX
                ? Verdict.warning(
                        is + ": uploads may take " + Amounts.bytes(UPLOADS_MAX) + " together",
                        "make space, or JDK_JAVA_OPTIONS=-Djava.io.tmpdir=/var/tmp")
                : Verdict.ok(is);
    }

    static Verdict backup(Optional<String> directory, Instant now) throws IOException {
        Optional<Path> folder =
                directory.map(String::strip).filter(text -> !text.isEmpty()).map(Path::of);
        if (folder.isEmpty()) {
            return Verdict.warning("BACKUP_DIR is not set: there may be none", BACKUP_FIX);
        }
        if (!Files.isDirectory(folder.get())) {
            return Verdict.warning("there is no folder " + folder.get(), BACKUP_FIX);
        }
        Optional<Path> newest = Machine.newestBackup(folder.get());
        if (newest.isEmpty()) {
            return Verdict.warning("no backup in " + folder.get(), BACKUP_FIX);
        }
        String name = newest.get().getFileName().toString();
        Instant at = LocalDateTime.parse(
                        name.substring("agentpipe-".length(), name.length() - ".dump".length()), BACKUP_TIME)
                .toInstant(ZoneOffset.UTC);
        Duration age = Duration.between(at, now);
        String is = name + ", " + Amounts.time(age) + " old";
        if (age.compareTo(BACKUP_AGE_MAX) > 0) {
            return Verdict.warning(is, "bin/backup; and see why it does not run each day");
        }
        return Files.exists(newest.get().resolveSibling(name + ".sha256"))
                ? Verdict.ok(is)
                : Verdict.warning(is + ", without its .sha256: it may be half of one", "bin/backup");
    }
}
