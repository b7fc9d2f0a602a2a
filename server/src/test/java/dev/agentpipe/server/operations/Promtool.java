package dev.agentpipe.server.operations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.Programs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Prometheus's own judge of its files. */
final class Promtool {

    private Promtool() {}

    static void assertAccepts(Path folder, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Programs.need("promtool").toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("promtool", ".out");
        try {
            ProcessBuilder builder = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().put("GOGC", "400"); // halves what its garbage collector costs
            Process process = builder.start();
            boolean ended = process.waitFor(3, TimeUnit.MINUTES);
            process.destroyForcibly();
            String said = Files.readString(output);
            assertTrue(ended, said);
            assertEquals(0, process.exitValue(), said);
        } finally {
            Files.delete(output);
        }
    }
}
