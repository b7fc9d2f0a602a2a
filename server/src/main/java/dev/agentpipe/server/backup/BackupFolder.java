package dev.agentpipe.server.backup;

import dev.agentpipe.db.backup.BackupException;
import dev.agentpipe.db.backup.BackupManifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.time.temporal.IsoFields;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A folder with backups, for whoever holds its lock. A backup has its name only when all of it, with its manifest and its
 * checksums, is on disk: until then it is a file that begins with a dot, and that the next one removes.
 */
public final class BackupFolder implements AutoCloseable {

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT);
    private static final Pattern NAME = Pattern.compile("agentpipe-(\\d{8}T\\d{6}Z)\\.dump");
    private static final String UNFINISHED = ".agentpipe-";
    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

    /** Whatever is asked for: a backup by hand before an upgrade is not what another one an hour later replaces. */
    private static final Duration ALL_KEPT = Duration.ofHours(24);

    private final Path folder;
    private final FileChannel lock;

    private BackupFolder(Path folder, FileChannel lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** Makes it if it is not there, readable by its owner alone, and takes its lock. */
    public static BackupFolder open(Path folder) {
        try {
            if (!Files.isDirectory(folder)) {
                if (folder.toAbsolutePath().getParent() != null) {
                    Files.createDirectories(folder.toAbsolutePath().getParent());
                }
                Files.createDirectory(folder, onlyOwner("rwx------"));
            }
            FileChannel channel = FileChannel.open(
                    folder.resolve(".lock"),
                    Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                    onlyOwner("rw-------"));
            if (!locked(channel)) {
                channel.close();
                throw new BackupException("Another backup into " + folder + " is under way");
            }
            BackupFolder opened = new BackupFolder(folder, channel);
            opened.removeUnfinished();
            return opened;
        } catch (IOException failed) {
            throw new BackupException("The folder " + folder + " cannot be used for backups: " + failed, failed);
        }
    }

    private static boolean locked(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException byThisProcess) {
            return false;
        }
    }

    private static FileAttribute<?>[] onlyOwner(String permissions) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    private void removeUnfinished() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                if (file.getFileName().toString().startsWith(UNFINISHED) && Files.isRegularFile(file)) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /** An empty file for a backup that is being made, readable by its owner alone. */
    public Path newFile() {
        try {
            return Files.createFile(
                    folder.resolve(UNFINISHED + ProcessHandle.current().pid()), onlyOwner("rw-------"));
        } catch (IOException failed) {
            throw new BackupException("Nothing can be written into " + folder + ": " + failed, failed);
        }
    }

    /** Gives a complete file its name, with all that belongs to it, surely on disk. */
    public BackupFile keep(Path unfinished, BackupManifest manifest) {
        try {
            Instant at = manifest.createdAt().truncatedTo(ChronoUnit.SECONDS);
            while (Files.exists(named(at))) {
                at = at.plusSeconds(1);
            }
            BackupFile kept = new BackupFile(named(at));
            force(unfinished);
            write(kept.manifestFile(), manifest.toJson());
            write(
                    kept.sumFile(),
                    BackupFile.sum(unfinished) + "  " + kept.file().getFileName() + "\n"
                            + BackupFile.sum(kept.manifestFile()) + "  "
                            + kept.manifestFile().getFileName() + "\n");
            Files.move(unfinished, kept.file(), StandardCopyOption.ATOMIC_MOVE);
            if (POSIX) {
                force(folder);
            }
            return kept;
        } catch (IOException failed) {
            throw new BackupException("The backup cannot be kept in " + folder + ": " + failed, failed);
        }
    }

    private Path named(Instant at) {
        return folder.resolve("agentpipe-" + TIME.format(at.atOffset(ZoneOffset.UTC)) + ".dump");
    }

    private static void write(Path file, String text) throws IOException {
        Files.deleteIfExists(file); // of a backup whose file was never finished
        Files.createFile(file, onlyOwner("rw-------"));
        Files.writeString(file, text, StandardCharsets.UTF_8);
        force(file);
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /**
     * Removes all backups but the newest of each of the last days and of each of the last weeks (in UTC, and such that have
     * any), and those of the last 24 hours. Files with other names stay.
     *
     * @return what was removed
     */
    public List<BackupFile> rotate(int days, int weeks, Instant now) {
        try {
            List<Path> newestFirst = backups();
            Set<Path> kept = new HashSet<>(newestFirst.subList(0, Math.min(1, newestFirst.size())));
            newestFirst.stream()
                    .filter(file -> at(file).isAfter(
                                    LocalDateTime.ofInstant(now, ZoneOffset.UTC).minus(ALL_KEPT)))
                    .forEach(kept::add);
            kept.addAll(newestOfEach(newestFirst, LocalDate::toString, days));
            kept.addAll(newestOfEach(
                    newestFirst,
                    day -> day.get(IsoFields.WEEK_BASED_YEAR) + "-" + day.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR),
                    weeks));
            List<BackupFile> removed = new ArrayList<>();
            for (Path file : newestFirst) {
                if (!kept.contains(file)) {
                    BackupFile old = new BackupFile(file);
                    Files.delete(file);
                    Files.deleteIfExists(old.sumFile());
                    Files.deleteIfExists(old.manifestFile());
                    removed.add(old);
                }
            }
            return removed;
        } catch (IOException failed) {
            throw new BackupException("Old backups in " + folder + " cannot be removed: " + failed, failed);
        }
    }

    private static List<Path> newestOfEach(List<Path> newestFirst, Function<LocalDate, String> period, int count) {
        TreeMap<String, Path> newest = new TreeMap<>();
        List<Path> kept = new ArrayList<>();
        for (Path file : newestFirst) {
            if (kept.size() < count && newest.putIfAbsent(period.apply(at(file).toLocalDate()), file) == null) {
                kept.add(file);
            }
        }
        return kept;
    }

    private List<Path> backups() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(
                            file -> NAME.matcher(file.getFileName().toString()).matches())
                    .filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .sorted(Comparator.<Path>naturalOrder().reversed())
                    .toList();
        }
    }

    private static LocalDateTime at(Path backup) {
        Matcher name = NAME.matcher(backup.getFileName().toString());
        if (!name.matches()) {
            throw new IllegalArgumentException(backup.toString());
        }
        return LocalDateTime.parse(name.group(1), TIME);
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
