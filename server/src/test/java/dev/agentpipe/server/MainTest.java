package dev.agentpipe.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as its user sees it: a process with arguments, an environment, two streams and an exit code. */
final class MainTest {

    @TempDir
    private Path folder;

    private record Outcome(int status, String out, String err) {}

    @Test
    void noArguments_showUsageAndFail() throws Exception {
        Outcome outcome = run(Map.of());

        assertEquals(2, outcome.status());
        assertEquals("", outcome.out());
        assertTrue(outcome.err().contains("Usage: agentpipe-server"), outcome.err());
        assertTrue(outcome.err().contains("serve"), outcome.err());
    }

    @Test
    void unknownCommandOrOption_fails() throws Exception {
        assertEquals(2, run(Map.of(), "srve").status());
        assertEquals(2, run(Map.of(), "serve", "--port=1").status());
    }

    @Test
    void versionAndHelp_arePrinted() throws Exception {
        String version = "agentpipe-server " + Version.current() + System.lineSeparator();

        assertTrue(run(Map.of(), "version").out().startsWith(version));
        assertEquals(new Outcome(0, version, ""), run(Map.of(), "--version"));
        Outcome help = run(Map.of(), "help");
        assertEquals(0, help.status());
        assertTrue(help.out().startsWith("Usage: agentpipe-server"), help.out());
    }

    @Test
    void serve_wrongEnvironment_listsAllProblemsAndStartsNothing() throws Exception {
        Outcome outcome = run(Map.of("PORT", "http", "LOG_FORMAT", "xml", "AGENTPIPE_ENV", "production"), "serve");

        assertEquals(2, outcome.status());
        assertEquals("", outcome.out());
        assertEquals(5, outcome.err().lines().count(), outcome.err());
        for (String name : List.of("PORT", "LOG_FORMAT", "DATABASE_URL", "AGENTPIPE_BRIDGE_API_KEY")) {
            assertTrue(outcome.err().contains("\n  " + name + " "), outcome.err());
        }
    }

    private Outcome run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.language=tr",
                "-Duser.country=TR",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.agentpipe.server.Main"));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the process did not end");
        }
        return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
