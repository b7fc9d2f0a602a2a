package dev.agentpipe.db.local;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PostmasterFileTest {

    @TempDir
    private Path cluster;

    @Test
    void endLeftOver_somebodyElseWorksInTheCluster_isLeftAlone() throws Exception {
        Process shell =
                new ProcessBuilder("sleep", "60").directory(cluster.toFile()).start();
        try {
            new PostmasterFile(cluster.toRealPath()).endLeftOver();

            assertTrue(shell.isAlive(), "an operator who looks around is no helper of PostgreSQL");
        } finally {
            shell.destroyForcibly().waitFor();
        }
    }
}
