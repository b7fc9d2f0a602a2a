package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Programs of the system that tests are for. Where one is missing its tests are skipped, and say so; in CI they fail. */
public final class Programs {

    private Programs() {}

    /** Where it is; ends the test if it is nowhere. */
    public static Path need(String name) {
        Optional<Path> found = Stream.of("/usr/sbin", "/usr/bin", "/usr/local/bin", "/bin")
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
        assertTrue(found.isPresent() || !"true".equals(System.getenv("CI")), "CI needs " + name);
        assumeTrue(found.isPresent(), "there is no " + name);
        return found.get();
    }
}
