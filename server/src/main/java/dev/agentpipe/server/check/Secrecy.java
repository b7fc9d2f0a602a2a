package dev.agentpipe.server.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** Who may read and change a file that holds secrets. A group that may read it is somebody's decision, and passes. */
record Secrecy(Path file, Set<PosixFilePermission> permissions) {

    private static final Set<PosixFilePermission> TOO_MUCH =
            Set.of(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE);

    /** @throws Group.NotThereException if there is no such file, or no such permissions here */
    static Secrecy of(Path file) throws IOException, Group.NotThereException {
        try {
            return new Secrecy(file, Files.getPosixFilePermissions(file));
        } catch (NoSuchFileException e) {
            throw new Group.NotThereException("there is no " + file);
        } catch (UnsupportedOperationException e) {
            throw new Group.NotThereException("its file system has no permissions");
        }
    }

    Verdict verdict() {
        String shown = file + " is " + PosixFilePermissions.toString(permissions);
        return permissions.stream().anyMatch(TOO_MUCH::contains)
                ? Verdict.failed(shown + ": other users of this machine can read or change it", "chmod 600 " + file)
                : Verdict.ok(shown);
    }
}
