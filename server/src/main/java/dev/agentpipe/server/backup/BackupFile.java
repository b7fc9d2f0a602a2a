package dev.agentpipe.server.backup;

import dev.agentpipe.db.backup.BackupException;
import dev.agentpipe.db.backup.BackupManifest;
import dev.agentpipe.db.backup.Restore;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A backup on disk: the file, {@code <file>.json} with its manifest, and {@code <file>.sha256} as sha256sum writes it, of
 * both.
 */
public record BackupFile(Path file) {

    private static final int MANIFEST_BYTES_MAX = 1 << 20;

    Path manifestFile() {
        return file.resolveSibling(file.getFileName() + ".json");
    }

    Path sumFile() {
        return file.resolveSibling(file.getFileName() + ".sha256");
    }

    /** What it says that it holds; empty if only a pg_dump is there. */
    public Optional<BackupManifest> manifest() {
        try {
            if (Files.exists(manifestFile())) {
                try (InputStream in = Files.newInputStream(manifestFile())) {
                    return Optional.of(BackupManifest.parse(in.readNBytes(MANIFEST_BYTES_MAX)));
                }
            }
        } catch (IOException unreadable) {
            throw new BackupException("The manifest cannot be read: " + unreadable, unreadable);
        }
        return Restore.manifestInside(file);
    }

    /**
     * Whether there are checksums, which then are right.
     *
     * @throws BackupException if one is not
     */
    public boolean isSummed() {
        try {
            if (!Files.exists(sumFile())) {
                return false;
            }
            List<String> lines = Files.readAllLines(sumFile());
            boolean named = false;
            for (String line : lines) {
                String[] parts = line.split(" [ *]", 2);
                if (parts.length != 2 || parts[1].contains("/")) {
                    throw new BackupException(sumFile() + " is not what sha256sum writes");
                }
                if (!sum(file.resolveSibling(parts[1])).equals(parts[0])) {
                    throw new BackupException(
                            parts[1] + " is damaged: it has not the checksum that is in " + sumFile());
                }
                named |= parts[1].equals(file.getFileName().toString());
            }
            return named;
        } catch (IOException unreadable) {
            throw new BackupException("The backup cannot be read: " + unreadable, unreadable);
        }
    }

    static String sum(Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                byte[] buffer = new byte[1 << 16];
                while (in.read(buffer) >= 0) {
                    continue;
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
