package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Port 1 is where nobody listens: a run that gets as far as asking there has found its URL and its key. */
final class SmokeCommandTest {

    private static final String NOBODY = "http://127.0.0.1:1";

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void key_fromEitherVariableOrAFile_isEnough() throws Exception {
        Path file = Files.writeString(folder.resolve("my-key"), "ap_live_in-a-file\n");
        Files.writeString(folder.resolve("api-key"), "ap_live_generated\n");

        assertEquals(1, run(Map.of("AGENTPIPE_BRIDGE_API_KEY", "ap_live_one_one,ap_live_two_two"), NOBODY));
        assertEquals(1, run(Map.of("AGENTPIPE_STREAM_API_KEY", "ap_live_one_one"), NOBODY));
        assertEquals(1, run(Map.of(), "--key-file", file.toString(), NOBODY));
        assertEquals(1, run(Map.of("DATA_DIR", folder.toString()), NOBODY));
        assertEquals("", err.toString());
    }

    @Test
    void key_nowhere_isAskedFor() {
        assertEquals(2, run(Map.of("DATA_DIR", folder.toString()), NOBODY));
        assertTrue(err.toString().startsWith("which key? "), err.toString());
        assertTrue(err.toString().contains(folder.resolve("api-key").toString()), err.toString());
    }

    @Test
    void key_generatedHere_isNotSentToAnotherMachine() throws Exception {
        Files.writeString(folder.resolve("api-key"), "ap_live_generated\n");

        assertEquals(2, run(Map.of("DATA_DIR", folder.toString()), "http://pipe.example"));
        assertTrue(err.toString().startsWith("which key? "), err.toString());
    }

    @Test
    void key_unusable_isRefusedWithoutEcho() throws Exception {
        Path file = Files.writeString(folder.resolve("my-key"), "two words");

        assertEquals(2, run(Map.of(), "--key-file", file.toString(), NOBODY));
        assertEquals(2, run(Map.of(), "--key-file", folder.resolve("none").toString(), NOBODY));
        assertEquals(2, run(Map.of("AGENTPIPE_STREAM_API_KEY", "two words"), NOBODY));
        assertFalse(err.toString().contains("two words"), err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"127.0.0.1:3000", "ftp://host", "http://", "http://a b", "http://host/?x=1", "http://host/#x"})
    void url_thatIsNone_isRefused(String url) {
        assertEquals(2, run(Map.of("AGENTPIPE_STREAM_API_KEY", "ap_live_one_one"), url));
        assertTrue(err.toString().contains("is no http:// or https:// URL"), err.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "//", "/api/ingest", "/api/ingest/"})
    void url_withTheEndpointOrSlashes_isCleanedAsTheCliDoes(String end) {
        assertEquals(1, run(Map.of("AGENTPIPE_STREAM_API_KEY", "ap_live_one_one"), NOBODY + end));
        assertTrue(out.toString().startsWith("Trying " + NOBODY + " with"), out.toString());
    }

    private int run(Map<String, String> environment, String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "smoke";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        CommandLine commandLine = Commands.of(environment);
        return commandLine
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }
}
