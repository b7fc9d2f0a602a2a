package dev.agentpipe.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.agentpipe.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Port 1 is where nobody listens: a run that gets as far as asking there has taken its arguments. */
final class BenchCommandTest {

    private static final String NOBODY = "http://127.0.0.1:1";
    private static final Map<String, String> KEY = Map.of("AGENTPIPE_STREAM_API_KEY", TestServer.KEY);

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--max-rate 0",
                "--max-rate 20001",
                "--max-rate many",
                "--max-streams 0",
                "--max-streams 10001",
                "--duration 0s",
                "--duration 61m",
                "--duration soon",
                "--scenario storm",
                "--follow none",
                "http://other.example",
            })
    void arguments_thatCannotBeUsed_areRefused(String arguments) {
        assertEquals(2, run(KEY, (NOBODY + " " + arguments).split(" ")));
        assertEquals("", out.toString());
        assertTrue(err.toString().contains("Usage: agentpipe-server bench"), err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--max-rate 1",
                "--max-rate 20000",
                "--max-streams 1",
                "--max-streams 10000",
                "--duration 1s",
                "--duration 90",
                "--duration 1h",
                "--scenario steady",
                "--follow all",
                "--json",
            })
    void arguments_withinTheBounds_areTaken(String arguments) {
        assertEquals(BenchCommand.NOT_MEASURED, run(KEY, (NOBODY + " " + arguments).split(" ")));
        assertTrue(err.toString().contains("no answer from " + NOBODY), err.toString());
    }

    @Test
    void key_nowhereForAnotherMachine_isAskedFor() {
        assertEquals(2, run(Map.of(), "http://pipe.example"));
        assertTrue(err.toString().startsWith("which key? "), err.toString());
    }

    @Test
    void key_asAnArgument_isRefusedWithoutEcho() {
        assertEquals(2, run(KEY, NOBODY, "--key", "ap_live_on-the-line"));
        assertEquals(2, run(KEY, NOBODY, "--key=ap_live_on-the-line"));
        assertTrue(err.toString().contains("--key is not taken"), err.toString());
        assertFalse(err.toString().contains("ap_live_on-the-line"), err.toString());
    }

    @Test
    void key_refused_isNotMeasuredAndNotShown() {
        try (TestServer server = TestServer.start()) {
            Map<String, String> wrong = Map.of("AGENTPIPE_STREAM_API_KEY", "ap_live_of-another");

            assertEquals(BenchCommand.NOT_MEASURED, run(wrong, server.uri("").toString()));
        }
        assertTrue(err.toString().contains("401 unauthorized"), err.toString());
        assertFalse((out.toString() + err).contains("ap_live_of-another"));
    }

    @Test
    void json_ofARun_isAllThatIsOnStandardOutput() {
        int status;
        try (TestServer server = TestServer.start()) {
            status = run(
                    KEY,
                    server.uri("").toString(),
                    "--json",
                    "--duration",
                    "2s",
                    "--max-streams",
                    "3",
                    "--max-rate",
                    "20");
        }
        JsonNode json = JsonMapper.shared().readTree(out.toString());

        assertEquals(1, status, "1,000 streams were not tried");
        assertEquals(1, out.toString().lines().count());
        assertEquals(false, json.get("met").asBoolean());
        assertEquals(3, json.at("/steps/0/streamsOpened").asInt());
        assertTrue(json.at("/left/messages").asInt() > 0);
        List<String> progress = err.toString().lines().toList();
        assertTrue(progress.get(0).startsWith("Loading http://127.0.0.1:"), err.toString());
        assertTrue(progress.get(1).contains("3 streams"), err.toString());
        assertFalse((out.toString() + err).contains(TestServer.KEY), "the key is not shown");
    }

    private int run(Map<String, String> environment, String... arguments) {
        String[] all = new String[arguments.length + 1];
        all[0] = "bench";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        CommandLine commandLine = Commands.of(environment);
        return commandLine
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all);
    }
}
