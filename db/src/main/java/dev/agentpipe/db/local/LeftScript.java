package dev.agentpipe.db.local;

import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The script by which the embedded PostgreSQL's library looks at the Linux distribution, once in a JVM. It would remove it
 * at the JVM's orderly end, which neither a killed server reaches nor one whose shutdown halts: each start left one.
 */
final class LeftScript {

    private static final Logger log = LoggerFactory.getLogger(LeftScript.class);

    private LeftScript() {}

    /**
     * Has the library look now, and removes what that adds to the temporary folder. When another server starts at the same
     * moment, whose script is whose cannot be told, and one that is taken from under its user keeps PostgreSQL from
     * starting as root: both stay.
     */
    static synchronized void remove() {
        Path folder = Path.of(System.getProperty("java.io.tmpdir"));
        try {
            Set<Path> before = scripts(folder);
            LinuxUtils.isUnshareAvailable();
            Set<Path> left = scripts(folder);
            left.removeAll(before);
            if (left.size() == 1) {
                Files.deleteIfExists(left.iterator().next());
            }
        } catch (IOException | RuntimeException failed) {
            log.debug("A script may be left in {}", folder, failed);
        }
    }

    private static Set<Path> scripts(Path folder) throws IOException {
        Set<Path> scripts = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "detect_linux_distribution_*.sh")) {
            files.forEach(scripts::add);
        }
        return scripts;
    }
}
