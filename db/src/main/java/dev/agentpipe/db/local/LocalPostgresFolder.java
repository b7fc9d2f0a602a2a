package dev.agentpipe.db.local;

import dev.agentpipe.db.postgres.DatabaseStartException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the built-in PostgreSQL keeps on disk: {@code cluster} (its data), {@code binaries} (unpacked again when they are
 * missing), {@code password}, {@code lock}, and {@code complete} once the cluster is one. Only its owner may look into the
 * folder: the library that unpacks PostgreSQL makes {@code binaries} writable for everybody.
 */
final class LocalPostgresFolder {

    private static final Logger log = LoggerFactory.getLogger(LocalPostgresFolder.class);

    private static final boolean POSIX =
            FileSystems.getDefault().supportedFileAttributeViews().contains("posix");

    private final Path cluster;
    private final Path binaries;
    private final Path passwordFile;
    private final Path completeFile;
    private final FolderLock lock;
    private final String password;

    private LocalPostgresFolder(Path folder, Path binaries, FolderLock lock) throws IOException {
        this.cluster = cluster(folder);
        this.binaries = binaries.toAbsolutePath().normalize();
        this.passwordFile = passwordFile(folder);
        this.completeFile = completeFile(folder);
        this.lock = lock;
        removeHalfMade();
        this.password = readOrMakePassword();
    }

    static Path cluster(Path folder) {
        return folder.resolve("cluster");
    }

    private static Path passwordFile(Path folder) {
        return folder.resolve("password");
    }

    private static Path completeFile(Path folder) {
        return folder.resolve("complete");
    }

    static boolean isComplete(Path folder) {
        return Files.exists(completeFile(folder));
    }

    /** Of a folder that somebody else has opened. */
    static String password(Path folder) throws IOException {
        return Files.readString(passwordFile(folder)).strip();
    }

    static LocalPostgresFolder open(Path folder, Path binaries) {
        try {
            Files.createDirectories(folder.getParent());
            if (!Files.isDirectory(folder)) {
                Files.createDirectory(folder, onlyOwner("rwx------"));
            } else if (POSIX) {
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            }
            FolderLock lock = FolderLock.take(folder);
            try {
                return new LocalPostgresFolder(folder.toRealPath(), binaries, lock);
            } catch (IOException | RuntimeException failed) {
                lock.close();
                throw failed;
            }
        } catch (IOException failed) {
            throw new DatabaseStartException("The data folder " + folder + " cannot be used: " + failed, failed);
        }
    }

    /**
     * What a killed first start left. A cluster without {@code complete} never held an event, since nobody was given its
     * address; it is put aside all the same, in case somebody brought it here. Of the binaries, the library would take
     * over files that were written in part.
     */
    private void removeHalfMade() throws IOException {
        if (!Files.exists(completeFile) && Files.exists(cluster)) {
            new PostmasterFile(cluster).endLeftOver();
            Path aside = cluster.resolveSibling("cluster-unfinished-" + System.currentTimeMillis());
            log.warn("The first start was not finished: what it left in {} is now {}", cluster, aside);
            Files.move(cluster, aside);
        }
        if (Files.isDirectory(binaries)) {
            List<Path> unpacked;
            try (Stream<Path> children = Files.list(binaries)) {
                unpacked = children.filter(Files::isDirectory).toList();
            }
            for (Path child : unpacked) {
                if (!Files.exists(child.resolve(".exists"))) {
                    delete(child);
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private String readOrMakePassword() throws IOException {
        if (!Files.exists(completeFile)) {
            byte[] random = new byte[24];
            new SecureRandom().nextBytes(random);
            Files.deleteIfExists(passwordFile);
            Files.createFile(passwordFile, onlyOwner("rw-------"));
            Files.writeString(
                    passwordFile, Base64.getUrlEncoder().withoutPadding().encodeToString(random));
        }
        return Files.readString(passwordFile).strip();
    }

    /** Windows has no such permissions; there a folder of the user is the user's own. */
    private static FileAttribute<?>[] onlyOwner(String permissions) {
        return POSIX
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
                }
                : new FileAttribute<?>[0];
    }

    Path cluster() {
        return cluster;
    }

    Path binaries() {
        return binaries;
    }

    Path passwordFile() {
        return passwordFile;
    }

    /** Letters, digits, '-' and '_'. */
    String password() {
        return password;
    }

    /** Surely on disk before anybody uses the cluster. */
    void markComplete() throws IOException {
        if (!Files.exists(completeFile)) {
            Files.createFile(completeFile);
            if (POSIX) {
                try (FileChannel directory = FileChannel.open(completeFile.getParent(), StandardOpenOption.READ)) {
                    directory.force(true);
                }
            }
        }
    }

    void close() {
        try {
            lock.close();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
